"""The runtime's client of Alpaca's stream, against the Alpaca simulator and against a silent server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.status import FailureType
from sluice_relay.protocol.messages import now
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.providers.alpaca import credentials as alpaca_mount
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_runtime.providers.alpaca.websocket import Timeouts
from sluice_simulators.alpaca import Account, AlpacaServer, quote_message
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import (
    AckMissing,
    AuthError,
    AuthSilence,
    BadSymbol,
    HttpError,
    NoWelcome,
    ResetOnConnect,
    WrongWelcome,
)
from sluice_simulators.alpaca.message_faults import Missing, UnknownType, ZeroSide
from sluice_simulators.alpaca.stream_faults import (
    Burst,
    Close,
    Garbage,
    HangUp,
    Mute,
    Oversize,
    Reset,
    SlowClient,
    StallReading,
    WrongCodec,
)
from sluice_simulators.tapes import TapeQuote
from support.alpaca_provider import SECRET, failure_of_connection, mount, source, streaming
from support.deadlines import assert_takes_at_most, wait_for, wait_until
from support.eventually import eventually
from support.fake_listener import FakeListener
from support.silent_peer import SilentPeer

ACCOUNT = Account("key", SECRET)


@pytest.fixture(autouse=True)
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check for a changed Secret often."""
    monkeypatch.setattr(alpaca_mount, "POLL_SECONDS", 0.02)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([ACCOUNT]) as running:
        yield running


@pytest.fixture(params=get_args(AlpacaEngine))
def engine(request: pytest.FixtureRequest) -> AlpacaEngine:
    """Run the suite with both engines."""
    chosen: AlpacaEngine = request.param
    return chosen


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """The Secret as Kubernetes mounts it."""
    return mount(tmp_path, "key", SECRET)


@pytest.fixture
def client(server: AlpacaServer, mounted: Path, engine: AlpacaEngine) -> AlpacaSource:
    """The client, configured for the server."""
    return source(server.url(), mounted, engine=engine)


async def test_quotes_arrive_live(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    async with streaming(client, listener, "AAPL", "MSFT"):
        await server.send_quote("AAPL", 100.25, 100.5)
        await server.send_quote("MSFT", 50.0, 0.0)
        await eventually(lambda: len(listener.ticks) == 2)
    first, second = (tick.to_quote() for tick in listener.ticks)
    assert (first.symbol, first.bid, first.ask, first.bid_size) == ("AAPL", 100.25, 100.5, 200)
    assert (second.symbol, second.bid, second.ask, second.ask_size) == ("MSFT", 50.0, None, None)
    assert abs((datetime.now(UTC) - first.ts).total_seconds()) < 10
    assert listener.history == ["Connecting", "Authenticating", "Subscribing", "acknowledged", "closed"]
    await wait_until(server.record, lambda record: record.close_sides_and_codes == [("client", 1000)])


async def test_symbols_are_added_and_removed_on_the_same_connection(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    async with streaming(client, listener, "AAPL", "MSFT") as connection:
        await connection.set_subscriptions(frozenset({"MSFT", "SPY"}))
        assert listener.confirmed == server.record.quote_symbols == {"MSFT", "SPY"}
        await connection.set_subscriptions(frozenset({"MSFT", "SPY"}))
        await connection.set_subscriptions(frozenset())
        assert listener.confirmed == server.record.quote_symbols == set()
    asked = [each.message for each in server.record.messages][1:]
    assert asked == [
        {"action": "subscribe", "quotes": ["AAPL", "MSFT"]},
        {"action": "subscribe", "statuses": ["*"]},
        {"action": "unsubscribe", "quotes": ["AAPL"]},
        {"action": "subscribe", "quotes": ["SPY"]},
        {"action": "unsubscribe", "quotes": ["MSFT", "SPY"]},
    ]
    assert server.record.connect_count == 1


async def test_two_thousand_symbols_are_one_request(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    names = [f"S{n}" for n in range(2000)]
    async with streaming(client, listener, *names):
        assert len(listener.confirmed) == 2000


@pytest.mark.parametrize("code", [400, 405])
async def test_a_bad_symbol_is_isolated_by_halving_and_the_others_are_confirmed(
    server: AlpacaServer, client: AlpacaSource, code: int
) -> None:
    server.faults.schedule(BadSymbol("S37", code))
    names = frozenset(f"S{n}" for n in range(100))
    listener = FakeListener()
    async with streaming(client, listener, *names) as connection:
        assert listener.confirmed == names - {"S37"}
        assert [(each.symbol, each.code) for each in listener.rejected] == [("S37", code)]
        assert len(server.record.messages) <= 20
        asked = len(server.record.messages)
        await connection.set_subscriptions(names)
        assert len(server.record.messages) == asked
        await connection.set_subscriptions(names - {"S37"})
        assert list(listener.rejected) == []
        await connection.set_subscriptions(names)
        assert [each.symbol for each in listener.rejected] == ["S37"]


@pytest.mark.parametrize(
    ("faults", "kind", "words"),
    [
        ([HttpError(status=401)], "auth", "check the key pair in the Secret"),
        ([HttpError(status=403)], "auth", "check the key pair in the Secret"),
        ([HttpError(status=429)], "network", "too many requests"),
        ([HttpError(status=503)], "network", "HTTP 503"),
        ([ResetOnConnect()], "network", "cannot be reached"),
        ([NoWelcome()], "stall", "welcome"),
        ([WrongWelcome(code=500)], "network", "internal error"),
        ([WrongWelcome(code=406)], "connectionLimit", "no further connection"),
        ([AuthSilence()], "stall", "answer to the login"),
        ([AuthError(402)], "auth", "check the key pair in the Secret"),
        ([AuthError(404)], "network", "too late"),
        ([AuthError(404, closes=True)], "network", "too late"),
        ([AuthError(406)], "connectionLimit", "another client uses it"),
        ([AuthError(409)], "entitlement", "choose another spec.alpaca.feed"),
        ([AuthError(411)], "entitlement", "grant it the scope"),
        ([AuthError(500)], "network", "internal error"),
        ([AckMissing()], "stall", "did not acknowledge"),
        ([Close(code=1000)], "upstreamClosed", "code 1000"),
        ([Close(code=1001)], "upstreamClosed", "code 1001"),
        ([Close(code=1011)], "upstreamClosed", "code 1011"),
        ([HangUp()], "upstreamClosed", "code 1006"),
        ([Reset()], "upstreamClosed", "code 1006"),
        ([SlowClient()], "slowClient", "read too slowly"),
        ([Oversize(size=9 << 20)], "upstreamClosed", "code 1009"),
    ],
    ids=str,
)
async def test_each_failure_has_its_type_and_a_message(
    server: AlpacaServer, client: AlpacaSource, faults: list[Fault], kind: FailureType, words: str
) -> None:
    server.faults.schedule(*faults, times=2)  # aiohttp itself retries a reset upgrade once
    listener = FakeListener()
    failure = await failure_of_connection(client, listener)
    assert (failure.kind, words in failure.message) == (kind, True), failure.message
    await wait_until(server.record, lambda record: not record.open_connections)
    assert listener.history.count("closed") == len(server.record.connections)


async def test_an_unresponsive_server_is_detected_by_pings(server: AlpacaServer, client: AlpacaSource) -> None:
    server.faults.schedule(Mute(pongs=False))
    with assert_takes_at_most(8.0):
        failure = await failure_of_connection(client, FakeListener())
    assert (failure.kind, failure.message) == ("stall", "Alpaca no longer answers pings; reconnecting")


async def test_a_connection_without_quotes_is_not_a_failure(server: AlpacaServer, client: AlpacaSource) -> None:
    server.faults.schedule(Mute(pongs=True))
    listener = FakeListener()
    async with streaming(client, listener, "AAPL"):
        await asyncio.sleep(1.0)
        assert len(server.record.open_connections) == 1


async def test_a_refused_connection_is_reported(mounted: Path, engine: AlpacaEngine, unused_tcp_port: int) -> None:
    failure = await failure_of_connection(
        source(f"ws://127.0.0.1:{unused_tcp_port}/v2/iex", mounted, engine=engine), FakeListener()
    )
    assert (failure.kind, "cannot be reached" in failure.message) == ("network", True)
    assert "ssl:" not in failure.message  # the rest of aiohttp's message has an object's memory address


@pytest.mark.parametrize("url", ["wss://127.0.0.1:99999/", "wss://:1/", "wss://[::1/"])
async def test_an_impossible_address_is_reported(mounted: Path, engine: AlpacaEngine, url: str) -> None:
    failure = await failure_of_connection(source(url, mounted, engine=engine), FakeListener())
    assert "cannot be reached" in failure.message


@pytest.mark.parametrize(
    "strange",
    [Garbage(), WrongCodec(), Burst(messages=5000), Oversize(), UnknownType(), Missing(), ZeroSide()],
    ids=str,
)
async def test_an_invalid_frame_loses_only_itself(server: AlpacaServer, client: AlpacaSource, strange: Fault) -> None:
    listener = FakeListener()
    async with streaming(client, listener, "AAPL"):
        await server.inject(strange)
        await server.send_quote("AAPL", 77.25, 78.0)
        await eventually(lambda: listener.ticks and listener.ticks[-1].to_quote().bid == 77.25)


async def test_a_large_frame_is_processed_in_parts_without_loss(server: AlpacaServer, mounted: Path) -> None:
    bids = [100.0 + number for number in range(2000)]
    listener = FakeListener()
    async with streaming(source(server.url(), mounted), listener, "AAPL"):
        await server.send([quote_message(TapeQuote(0, "AAPL", bid, 1, 5000.0, 1), now()) for bid in bids])
        await eventually(lambda: len(listener.ticks) == len(bids))
    assert [tick.to_quote().bid for tick in listener.ticks] == bids
    assert max(len(ticks) for _, ticks in listener.frames) <= 1000


@pytest.mark.parametrize("phase", SilentPeer.PHASES)
async def test_cancelling_in_any_phase_closes_the_socket_even_if_the_peer_does_not_answer(
    mounted: Path, engine: AlpacaEngine, phase: str
) -> None:
    peer, listener = SilentPeer(phase), FakeListener()
    async with peer.listening() as url:

        async def stream() -> None:
            async with streaming(source(url, mounted, engine=engine, timeouts=Timeouts()), listener, "AAPL"):
                await asyncio.Event().wait()

        task = asyncio.create_task(stream())
        await wait_for(peer.reached.wait(), 5)
        await asyncio.sleep(0.2)
        assert peer.open == 1
        with assert_takes_at_most(6.0):
            await cancel_and_wait(task)
        await eventually(lambda: peer.open == 0, 0.3)
    assert listener.history.count("closed") == (0 if phase == "upgrade" else 1)


async def test_repeated_cancellation_does_not_interrupt_the_close_handshake(
    server: AlpacaServer, client: AlpacaSource
) -> None:
    listener = FakeListener()

    async def stream() -> None:
        async with streaming(client, listener, "AAPL"):
            await asyncio.Event().wait()

    task = asyncio.create_task(stream())
    await eventually(lambda: server.record.quote_symbols == {"AAPL"})
    await server.inject(StallReading(seconds=0.3))
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.02)
        # The client hangs up instead of waiting for the close frame, so the server sees the end of the connection.
        await server.send_quote("AAPL", 77.25, 78.0)
    assert task.cancelled()
    await eventually(lambda: not server.record.open_connections)
    assert server.record.close_sides_and_codes == [("client", 1000)]
    assert listener.history.count("closed") == 1


async def test_crypto_has_pairs_and_fractional_sizes_and_no_halts(
    server: AlpacaServer, mounted: Path, engine: AlpacaEngine
) -> None:
    settings = AlpacaSettings(stream_url=server.url("crypto"), feed="crypto", engine=engine)
    made, listener = AlpacaSource(settings, CredentialsReader(settings, mounted, None)), FakeListener()
    assert made.name == "alpaca:crypto"
    async with streaming(made, listener, "BTC/USD"):
        await server.send([quote_message(TapeQuote(0, "BTC/USD", 60000.5, 0.25, 60001.5, 1.5), now())])
        await eventually(lambda: listener.ticks)
    quote = listener.ticks[0].to_quote()
    assert (quote.symbol, quote.bid, quote.bid_size, quote.ask_size) == ("BTC/USD", 60000.5, 0.25, 1.5)
    assert [each.message for each in server.record.messages][1:] == [{"action": "subscribe", "quotes": ["BTC/USD"]}]
