"""Provider ibkr and a gateway that speaks TWS's protocol: symbols, quotes, rejections, and every way a session ends."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import pytest

from sluice_contract.spec import Channel
from sluice_contract.status import FailureType
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.market import Quote
from sluice_runtime.providers.ibkr.messages import IBKRTimeouts
from sluice_simulators.tws import TWSServer
from sluice_simulators.tws import record as requests
from sluice_simulators.tws.server import BID, LAST, LAST_SIZE
from support.deadlines import wait_for, wait_until
from support.eventually import eventually
from support.fake_listener import FakeListener
from support.ibkr_provider import failure_of_connection, source, streaming

TRADES: frozenset[Channel] = frozenset({"quotes", "trades"})


@pytest.fixture
async def gateway() -> AsyncIterator[TWSServer]:
    async with TWSServer() as running:
        yield running
    assert running.record.concurrent_max <= 1


@pytest.fixture
def listener() -> FakeListener:
    return FakeListener()


def last(listener: FakeListener) -> Quote:
    """Return the newest quote."""
    return listener.ticks[-1].to_quote()


async def test_quotes_arrive_and_no_account_data_is_requested(gateway: TWSServer, listener: FakeListener) -> None:
    async with streaming(source(gateway.port), listener, "AAPL", "BRK.B"):
        assert listener.history[:2] == ["Connecting", "Subscribing"]
        assert listener.confirmed == {"AAPL", "BRK.B"}
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"AAPL", "BRK B"})
        assert all(int(fields[3]) > 0 for fields in gateway.record.requests_of_kind(requests.MARKET_DATA))
        gateway.send_quote("BRK B", 500.25, 500.5)
        await eventually(lambda: listener.ticks)
        quote = last(listener)
        assert (quote.symbol, quote.bid, quote.ask) == ("BRK.B", 500.25, 500.5)
        assert (quote.bid_size, quote.ask_size, quote.ts.tzinfo is not None) == (200, 300, True)
    await wait_until(gateway.record, lambda record: not record.open_connections)
    assert listener.history[-1] == "closed"
    assert [each.client_id for each in gateway.record.connections] == [7]
    assert gateway.record.requests_of_kind(requests.AUTO_OPEN_ORDERS) == []
    assert len(gateway.record.requests_of_kind(requests.CANCEL_POSITIONS)) == 1


@pytest.mark.parametrize(("price", "size"), [(-1.0, 0.0), (float("nan"), 0.0), (-1.0, 100.0)])
async def test_an_empty_side_is_none(gateway: TWSServer, listener: FakeListener, price: float, size: float) -> None:
    async with streaming(source(gateway.port), listener, "AAPL"):
        await wait_until(gateway.record, lambda record: record.subscribed_symbols)
        gateway.send_quote("AAPL", 10.0, 11.0)
        gateway.send_price("AAPL", BID, price, size)
        await eventually(lambda: listener.ticks and last(listener).bid is None)
        assert (last(listener).bid_size, last(listener).ask) == (None, 11.0)


async def test_trades_and_halts_arrive_if_their_channels_are_followed(
    gateway: TWSServer, listener: FakeListener
) -> None:
    async with streaming(source(gateway.port), listener, "AAPL", channels=TRADES) as connection:
        await wait_until(gateway.record, lambda record: record.subscribed_symbols)
        gateway.send_price("AAPL", LAST, 10.5, 100)
        gateway.send_size("AAPL", LAST_SIZE, 300)
        gateway.send_halt("AAPL", 2)
        await eventually(lambda: listener.halts)
        assert listener.trades[-1].price == 10.5
        assert (listener.halts[0].halted, listener.halts[0].reason) == (True, "volatility halt")
        assert listener.ticks == []
        await connection.set_subscriptions(frozenset({"AAPL"}))
        known = len(listener.trades)
        gateway.send_price("AAPL", LAST, 10.75, 100)
        gateway.send_halt("AAPL", 0)
        await eventually(lambda: len(listener.halts) == 2)
        assert len(listener.trades) == known


async def test_only_changed_symbols_are_requested(gateway: TWSServer, listener: FakeListener) -> None:
    async with streaming(source(gateway.port), listener, "AAPL", "MSFT") as connection:
        await connection.set_subscriptions(frozenset({"MSFT", "SPY"}))
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"MSFT", "SPY"})
        asked = [fields[4] for fields in gateway.record.requests_of_kind(requests.MARKET_DATA)]
        assert (sorted(asked), len(gateway.record.requests_of_kind(requests.CANCEL_MARKET_DATA))) == (
            ["AAPL", "MSFT", "SPY"],
            1,
        )
        assert listener.confirmed == {"MSFT", "SPY"}


async def test_an_unknown_an_ambiguous_and_an_invalid_symbol_are_rejected_and_the_others_stream(
    gateway: TWSServer, listener: FakeListener
) -> None:
    gateway.behavior.unknown.add("NOPE")
    gateway.behavior.ambiguous.add("TWICE")
    gateway.behavior.details_refused["ODD"] = (321, "Error validating request.-'bW' : cause - Invalid symbol")
    async with streaming(source(gateway.port), listener, "AAPL", "NOPE", "TWICE", "ODD"):
        assert listener.confirmed == {"AAPL"}
        assert {each.symbol: each.code for each in listener.rejected} == {"NOPE": 200, "TWICE": 200, "ODD": 321}
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"AAPL"})
        gateway.send_quote("AAPL", 10.0, 11.0)
        await eventually(lambda: listener.ticks)


@pytest.mark.parametrize("code", [101, 354, 10089, 10090, 10167, 10168])
async def test_a_rejected_subscription_has_a_message_that_says_what_to_do(
    gateway: TWSServer, listener: FakeListener, code: int
) -> None:
    gateway.behavior.refused["MSFT"] = (code, "No.")
    async with streaming(source(gateway.port), listener, "AAPL", "MSFT"):
        await eventually(lambda: listener.rejected)
        [rejection] = listener.rejected
        assert (rejection.symbol, rejection.code) == ("MSFT", code)
        assert rejection.message.startswith("No. (")
        assert listener.confirmed == {"AAPL"}


async def test_a_symbol_with_delayed_data_is_rejected_and_others_stream(
    gateway: TWSServer, listener: FakeListener
) -> None:
    gateway.behavior.data_types["MSFT"] = 3
    async with streaming(source(gateway.port), listener, "AAPL", "MSFT"):
        await eventually(lambda: listener.rejected)
        [rejection] = listener.rejected
        assert (rejection.symbol, rejection.code) == ("MSFT", 10167)
        assert listener.confirmed == {"AAPL"}
        assert "subscribe this login to the market's data" in rejection.message
        gateway.send_quote("AAPL", 10.0, 11.0)
        await eventually(lambda: listener.ticks)


@pytest.mark.parametrize("data_type", [3, 4])
async def test_a_login_that_gets_only_delayed_data_is_not_entitled(gateway: TWSServer, data_type: int) -> None:
    gateway.behavior.data_types |= {"AAPL": data_type, "MSFT": data_type}
    failure = await failure_of_connection(source(gateway.port), "AAPL", "MSFT")
    assert (failure.kind, failure.is_fatal, failure.is_certain) == ("entitlement", True, True)
    assert failure.message.startswith("IBKR sends only delayed data (market data type 3) for AAPL, MSFT; ")
    assert "subscribe this login to the market's data" in failure.message


async def test_delayed_data_that_a_notice_announces_is_no_entitlement_either(gateway: TWSServer) -> None:
    gateway.behavior.refused["AAPL"] = (10167, "Requested market data is not subscribed. Displaying delayed data.")
    assert (await failure_of_connection(source(gateway.port), "AAPL")).kind == "entitlement"


async def test_a_rejection_of_a_streaming_subscription_ends_only_this_subscription(
    gateway: TWSServer, listener: FakeListener
) -> None:
    async with streaming(source(gateway.port), listener, "AAPL", "MSFT"):
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"AAPL", "MSFT"})
        gateway.send_symbol_error("MSFT", 354, "Requested market data is not subscribed.")
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"AAPL"})
        assert listener.confirmed == {"AAPL"}


async def test_a_released_market_data_line_is_used_by_a_rejected_symbol(
    gateway: TWSServer, listener: FakeListener
) -> None:
    gateway.behavior.refused["MSFT"] = (101, "Max number of tickers has been reached")
    async with streaming(source(gateway.port), listener, "AAPL", "MSFT") as connection:
        await eventually(lambda: listener.rejected)
        del gateway.behavior.refused["MSFT"]
        await connection.set_subscriptions(frozenset({"MSFT"}))
        assert (listener.confirmed, listener.rejected) == (frozenset({"MSFT"}), ())


async def test_after_a_competing_session_the_subscription_is_retried_until_quotes_come(
    gateway: TWSServer, listener: FakeListener
) -> None:
    gateway.behavior.refused["AAPL"] = (10197, "No market data during competing live session")
    async with streaming(source(gateway.port), listener, "AAPL"):
        await eventually(lambda: len(gateway.record.market_data_ids) >= 3)
        assert [each.code for each in listener.rejected] == [10197]
        del gateway.behavior.refused["AAPL"]

        def arrived() -> bool:
            gateway.send_quote("AAPL", 10.0, 11.0)
            return bool(listener.ticks)

        await eventually(arrived)
        assert (listener.confirmed, listener.rejected) == (frozenset({"AAPL"}), ())
        assert len(gateway.record.open_connections[0].subscribed) == 1


async def test_the_requests_for_many_symbols_are_spread_over_seconds(
    gateway: TWSServer, listener: FakeListener
) -> None:
    symbols = [f"S{number}" for number in range(100)]
    async with streaming(source(gateway.port), listener, *symbols) as connection:
        assert len(listener.confirmed) == 100
        await connection.set_subscriptions(frozenset({"S1"}))
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"S1"})


ENDS: list[tuple[str, FailureType]] = [
    ("refused", "network"),
    ("hangs up at login", "network"),
    ("silent greeting", "network"),
    ("silent login", "network"),
    ("silent positions", "network"),
    ("silent contracts", "stall"),
    ("silent clock", "stall"),
    ("drop", "upstreamClosed"),
    ("reset", "upstreamClosed"),
    ("port", "upstreamClosed"),
]


@pytest.mark.parametrize(("fault", "kind"), ENDS)
async def test_each_failure_has_its_type_and_leaves_no_open_socket(
    gateway: TWSServer, fault: str, kind: FailureType
) -> None:
    silences = {"greeting": 0, "login": 71, "positions": 61, "contracts": 9, "clock": 49}
    if fault == "refused":
        await gateway.refuse_connections()
    elif fault == "hangs up at login":
        gateway.behavior.closes_at = 71
    elif fault.startswith("silent"):
        gateway.behavior.silent.add(silences[fault.split()[1]])
    hurried = IBKRTimeouts(connect=0.6, answer=0.6, probe=0.1, settle=0.05)
    ending = asyncio.create_task(failure_of_connection(source(gateway.port, timeouts=hurried)))
    if fault in ("drop", "reset", "port"):
        await wait_until(gateway.record, lambda record: record.subscribed_symbols)
        gateway.send_notice(1300, "TWS socket port has been reset") if fault == "port" else gateway.drop_connections(
            reset=fault == "reset"
        )
    failure = await wait_for(ending, 10)
    assert failure.kind == kind
    assert f"127.0.0.1:{gateway.port}" in failure.message
    await wait_until(gateway.record, lambda record: not record.open_connections)


async def test_a_client_id_that_is_in_use_is_a_connection_limit(listener: FakeListener) -> None:
    async with TWSServer() as gateway, streaming(source(gateway.port), listener, "AAPL"):
        failure = await failure_of_connection(source(gateway.port))
        assert (failure.kind, failure.retry_after, failure.retry_within) == ("connectionLimit", 5.0, 30.0)
        assert "spec.ibkr.clientID" in failure.message
        async with streaming(source(gateway.port, client_id=8), FakeListener(), "MSFT"):
            assert gateway.record.subscribed_symbols >= {"AAPL"}


async def test_client_id_0_does_not_take_over_orders(gateway: TWSServer, listener: FakeListener) -> None:
    async with streaming(source(gateway.port, client_id=0), listener, "AAPL"):
        gateway.send_notice(1102, "Connectivity restored")
        await eventually(lambda: len(gateway.record.market_data_ids) == 2)
    for kind in (requests.AUTO_OPEN_ORDERS, requests.ACCOUNT_SUMMARY):
        assert gateway.record.requests_of_kind(kind) == []


@pytest.mark.parametrize("silence", [0, 71, 61, 9, None])
async def test_cancelling_in_any_phase_closes_the_socket(gateway: TWSServer, silence: int | None) -> None:
    if silence is not None:
        gateway.behavior.silent.add(silence)
    task = asyncio.create_task(failure_of_connection(source(gateway.port, timeouts=IBKRTimeouts())))
    await wait_until(gateway.record, lambda record: record.connections)
    if silence is None:
        await wait_until(gateway.record, lambda record: record.subscribed_symbols)
    elif silence > 0:
        await wait_until(gateway.record, lambda record: record.requests_of_kind(silence))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await wait_for(task, 5)
    await wait_until(gateway.record, lambda record: not record.open_connections, 5)


async def test_without_ib_async_the_error_names_the_image_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sluice_runtime.providers.ibkr.connection", None)
    with pytest.raises(StreamError, match="this image has no ib_async") as failure:
        async with source(1).connect(FakeListener()):
            pass
    assert failure.value.kind == "configuration"
