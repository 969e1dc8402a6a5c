"""Every fault of the Alpaca simulator against the whole pod, on both engines.

Each test checks what the job's status reports, that the server never saw two connections at once and how many in all,
and that the next quote after the recovery reaches Firestore.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, get_args

import pytest
import pytest_asyncio

from sluice_contract.alpaca import AlpacaEngine
from sluice_contract.status import FailureType
from sluice_relay.protocol.messages import bar_message
from sluice_runtime.providers.alpaca import credentials as alpaca_mount
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from sluice_simulators.alpaca import Account, AlpacaServer, Plan, StockTrade, status_message
from sluice_simulators.alpaca.control import FAULTS
from sluice_simulators.alpaca.faults import Fault, MessageFault
from sluice_simulators.alpaca.handshake_faults import (
    AckError,
    AckMissing,
    AckPartial,
    AuthError,
    AuthSilence,
    BadSymbol,
    Deflate,
    Delay,
    ForeignWelcome,
    HttpError,
    NoWelcome,
    ResetOnConnect,
    TextFrames,
    WrongWelcome,
)
from sluice_simulators.alpaca.server import ServerOptions
from sluice_simulators.alpaca.stream_faults import (
    Burst,
    Close,
    CloseMidFragment,
    EmptyArray,
    Garbage,
    HangUp,
    Mute,
    Oversize,
    Reset,
    SlowClient,
    StallReading,
    Unsubscribed,
    WrongCodec,
)
from support.alpaca_pod import SYMBOLS, document_has, send_until_written, streaming
from support.alpaca_provider import SECRET, mount, source
from support.deadlines import scaled, wait_until
from support.eventually import eventually
from support.pod import LIMITS, FirestorePod, Pod
from support.runtime_fakes import job
from support.sinks import Documents, firestore_sink

# Google's client must stay on the event loop that created it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

Opened = tuple[FirestoreSink, Documents]

# Faults that end or prevent the first connection, and the type of failure that the status then reports.
LOSSES: list[tuple[Fault, FailureType]] = [
    (HttpError(status=401), "auth"),
    (HttpError(status=403), "auth"),
    (HttpError(status=429, retry_after=45), "network"),
    (HttpError(status=503), "network"),
    (NoWelcome(), "stall"),
    (WrongWelcome(code=500), "network"),
    (AuthSilence(), "stall"),
    (AuthError(402), "auth"),
    (AuthError(404, closes=True), "network"),
    (AuthError(406), "connectionLimit"),
    (AuthError(409), "entitlement"),
    (AuthError(500), "network"),
    (AckMissing(), "stall"),
    (AckError(500), "network"),
    (Close(code=1000), "upstreamClosed"),
    (Close(code=1001), "upstreamClosed"),
    (Close(code=1011), "upstreamClosed"),
    (CloseMidFragment(), "upstreamClosed"),
    (HangUp(), "upstreamClosed"),
    (Reset(), "upstreamClosed"),
    (SlowClient(), "slowClient"),
    (SlowClient(said=False), "upstreamClosed"),
    (Oversize(size=9 << 20), "upstreamClosed"),
    (Mute(pongs=False), "stall"),
]

# Faults that affect at most one message.
TRIFLES: list[Fault] = [
    *(kind() for kind in FAULTS.values() if issubclass(kind, MessageFault)),
    Burst(messages=5000),
    EmptyArray(),
    Garbage(),
    Oversize(),
    StallReading(seconds=0.3),
    Unsubscribed(),
    WrongCodec(),
]


@pytest.fixture(autouse=True)
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check for a changed Secret often."""
    monkeypatch.setattr(alpaca_mount, "POLL_SECONDS", 0.02)


_projects = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="module")
async def opened(emulator: str) -> AsyncIterator[Opened]:
    """Open an empty Firestore."""
    assert emulator
    async with firestore_sink(f"demo-sluice-faults-{next(_projects)}") as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running
    assert running.record.concurrent_max <= 1


@pytest.fixture(params=get_args(AlpacaEngine))
def pod(request: pytest.FixtureRequest, server: AlpacaServer, tmp_path: Path, opened: Opened) -> FirestorePod:
    """A pod with either engine."""
    return Pod(source(server.url(), mount(tmp_path, "key", SECRET), engine=request.param), opened)


async def test_no_fault_of_the_server_is_left_out() -> None:
    tried = {type(fault) for fault, _ in LOSSES} | {type(fault) for fault in TRIFLES}
    elsewhere = {AckPartial, BadSymbol, Deflate, Delay, ForeignWelcome, ResetOnConnect, TextFrames}
    assert tried | elsewhere == set(FAULTS.values())


@pytest.mark.parametrize(("fault", "kind"), LOSSES, ids=str)
async def test_a_lost_connection_is_reported_by_its_type_and_replaced_by_one_connection(
    server: AlpacaServer, pod: FirestorePod, fault: Fault, kind: FailureType
) -> None:
    server.faults.schedule(fault)
    async with streaming(pod):
        await eventually(lambda: pod.failures)
        await send_until_written(server, pod, "AAPL", 77.25)
        assert [each.type for each in pod.failures] == [kind]
        assert pod.job.reports[-1][1].state == "Live"
        assert pod.runtime.snapshot().failure is None
        refused = isinstance(fault, HttpError)
        assert server.record.connect_count == (1 if refused else 2)


async def test_a_reset_upgrade_is_retried(server: AlpacaServer, pod: FirestorePod) -> None:
    server.faults.schedule(ResetOnConnect(), times=3)
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)
        assert {each.type for each in pod.failures} == {"network"}
        assert server.record.connect_count == 1


@pytest.mark.parametrize("fault", TRIFLES, ids=str)
async def test_an_invalid_frame_ends_no_connection_and_loses_no_other_quote(
    server: AlpacaServer, pod: FirestorePod, fault: Fault
) -> None:
    async with streaming(pod):
        await send_until_written(server, pod, "MSFT", 10.0)
        await server.inject(fault)
        await send_until_written(server, pod, "MSFT", 77.25)
        assert pod.failures == []
        assert server.record.connect_count == 1
        assert not await pod.sink.quote_document_times(["ZZZZ"])


@pytest.mark.parametrize("phase", ["welcome", "auth", "ack"])
async def test_a_late_answer_is_waited_for(
    server: AlpacaServer, pod: FirestorePod, phase: Literal["welcome", "auth", "ack"]
) -> None:
    server.faults.schedule(Delay(phase=phase, seconds=0.2))
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)
        assert (pod.failures, server.record.connect_count) == ([], 1)


@pytest.mark.parametrize("deflate", [True, False])
async def test_quotes_arrive_with_and_without_compression(
    server: AlpacaServer, pod: FirestorePod, deflate: bool
) -> None:
    server.faults.schedule(Deflate(deflate))
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)


async def test_a_bad_symbol_is_rejected_by_name_and_the_others_stream(server: AlpacaServer, pod: FirestorePod) -> None:
    server.faults.schedule(BadSymbol("BAD"))
    async with streaming(pod, ["AAPL", "BAD", "MSFT"]):
        await send_until_written(server, pod, "AAPL", 77.25)
        ledger = await eventually(lambda: pod.job.reports[-1][1].symbols.rejections)
        assert [(each.symbol, each.code) for each in ledger] == [("BAD", 400)]
        assert server.record.connect_count == 1


async def test_a_symbol_that_is_not_acknowledged_is_pending_and_logged(
    server: AlpacaServer, pod: FirestorePod, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.schedule(AckPartial(("MSFT",)))
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)
        ledger = pod.runtime.snapshot().ledger.to_symbol_counts(pod.runtime.desired.value)
        assert (ledger.confirmed, ledger.desired, ledger.pending) == (1, 2, 1)
        assert "Alpaca's acknowledgement lacks 1 symbols: MSFT" in caplog.text


async def test_a_plan_for_two_channels_accepts_one_symbol_with_quotes_and_trades(
    pod: FirestorePod, server: AlpacaServer
) -> None:
    server.accounts.add(Account("key", SECRET, Plan(symbols=2)))
    pod.job.declare(job(1, symbols=SYMBOLS, channels=["quotes", "trades"], limits=LIMITS))
    async with pod.running():
        await send_until_written(server, pod, "AAPL", 77.25)
        await server.send([StockTrade("AAPL", 77.5).trade_message()])
        await eventually(lambda: document_has(pod.documents.quote("AAPL"), "price", 77.5))
        ledger = pod.runtime.snapshot().ledger.to_symbol_counts(pod.runtime.desired.value)
        assert (ledger.confirmed, [each.code for each in ledger.rejections]) == (1, [405])


async def test_bars_are_written_and_a_channel_is_changed_on_the_running_connection(
    server: AlpacaServer, pod: FirestorePod
) -> None:
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)
        pod.job.declare(job(2, symbols=SYMBOLS, channels=["quotes", "bars"], limits=LIMITS))
        await eventually(lambda: server.record.open_connections[0].subscription["bars"] == SYMBOLS)
        await server.send([bar_message("AAPL", 77.5)])
        await eventually(lambda: document_has(pod.documents.bar("AAPL"), "close", 77.5))
        pod.job.declare(job(3, symbols=SYMBOLS, limits=LIMITS))
        await eventually(lambda: server.record.open_connections[0].subscription["bars"] == [])
        assert server.record.connect_count == 1


async def test_a_halt_is_known_from_its_first_message(server: AlpacaServer, pod: FirestorePod) -> None:
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)
        await server.send([status_message("AAPL", "H", "T1")])
        await eventually(lambda: "AAPL" in pod.runtime.market.last_values.halted_symbols)
        await server.send([status_message("AAPL", "T")])
        await eventually(lambda: "AAPL" not in pod.runtime.market.last_values.halted_symbols)


async def test_a_connection_limit_is_retried_after_5_to_30_s_and_http_429_after_its_retry_after(
    server: AlpacaServer, pod: FirestorePod
) -> None:
    server.faults.schedule(AuthError(406), times=2)
    server.faults.schedule(HttpError(status=429, retry_after=45))
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 77.25)
        assert pod.backoff.asked == [5.0, 5.0, 45.0]


async def test_the_pod_reconnects_after_the_server_was_down(server: AlpacaServer, pod: FirestorePod) -> None:
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 10.0)
        await server.refuse_connections()
        await server.inject(Reset())
        await eventually(lambda: {each.type for each in pod.failures} == {"upstreamClosed", "network"})
        await server.accept_connections()
        await send_until_written(server, pod, "AAPL", 77.25)
        assert server.record.connect_count == 2


async def test_an_unclean_drop_holds_the_slot_and_never_makes_two_connections(tmp_path: Path, opened: Opened) -> None:
    async with AlpacaServer([Account("key", SECRET)], options=ServerOptions(hold=scaled(1.0))) as server:
        pod = Pod(source(server.url(), mount(tmp_path, "key", SECRET)), opened)
        async with streaming(pod):
            await send_until_written(server, pod, "AAPL", 10.0)
            await server.inject(Reset())
            await send_until_written(server, pod, "AAPL", 77.25)
            assert "406" in server.record.auth_outcomes
        assert server.record.concurrent_max == 1


async def test_a_new_secret_makes_one_new_connection(server: AlpacaServer, pod: FirestorePod, tmp_path: Path) -> None:
    async with streaming(pod):
        await send_until_written(server, pod, "AAPL", 10.0)
        server.accounts.add(Account("second", "new"))
        mount(tmp_path, "second", "new")
        await wait_until(server.record, lambda record: record.connect_count == 2)
        await send_until_written(server, pod, "AAPL", 77.25)
        await asyncio.sleep(0.3)
        assert (server.record.connect_count, server.record.auth_outcomes) == (2, ["authenticated"] * 2)
        assert pod.failures == []
