"""Snapshots beside the stream, in a whole pod with fakes. The clock starts in trading hours of an ordinary Monday."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import SinkError, SnapshotError
from sluice_runtime.domain.market import Halt, Trade
from sluice_runtime.domain.market_hours import REGULAR_HOURS, MarketHours, MarketState, market_hours
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from sluice_runtime.loops.snapshot_recovery import SnapshotRecovery
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, FakeSource, desired, job, journal, quote
from support.virtual_time import START, at, now, seconds

ALPACA: dict[str, Any] = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}
REGULAR = market_hours(REGULAR_HOURS)


class FakeSnapshots:
    """The provider's snapshots."""

    def __init__(self) -> None:
        self.answer: Callable[[], MarketSnapshot] = MarketSnapshot
        self.failure: str | None = None
        self.asked: list[tuple[int, list[str]]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def fetch_latest_quotes_and_trades(self, symbols: Sequence[str]) -> MarketSnapshot:
        self.asked.append((round(seconds()), list(symbols)))
        await self.goes_on.wait()
        if self.failure is not None:
            raise SnapshotError(self.failure, is_refused="403" in self.failure)
        return self.answer()


class World:
    """A pod with two symbols."""

    def __init__(self) -> None:
        self.sink, self.source, self.snapshots = FakeSink(), FakeSource(), FakeSnapshots()
        self.job = FakeJob(job(1, **ALPACA))
        self.journal = journal(with_pause(desired(**ALPACA), UNREAD))

    @asynccontextmanager
    async def running(self, market: MarketHours = REGULAR) -> AsyncIterator[None]:
        """Run the pod, live, while the context lasts."""
        stop = asyncio.Event()
        catch_up = SnapshotRecovery(self.snapshots, self.sink, self.journal, market)
        parts = RuntimeParts(
            source=self.source, sink=self.sink, job=self.job, journal=self.journal, other_loops=[catch_up.run]
        )
        pod = asyncio.create_task(run_loops_and_shut_down(parts, stop, Backoff(1.0, 60.0, lambda _, high: high)))
        await at(1)
        try:
            yield
        finally:
            stop.set()
            await pod

    def lose(self) -> None:
        """Lose the connection; the pod makes another a second later."""
        self.source.connection.lose()

    def bids(self) -> dict[str, Any]:
        return {symbol: fields["bid"] for symbol, fields in sorted(self.sink.quotes.items())}


@pytest.fixture
async def world() -> World:
    return World()


async def test_the_snapshot_of_a_new_connection_corrects_the_documents_before_the_first_quote(world: World) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0), quote("MSFT", START, 6.0)))
    async with world.running():
        assert world.snapshots.asked == [(0, ["AAPL", "MSFT"])]
        assert world.bids() == {"AAPL": 5.0, "MSFT": 6.0}
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START + timedelta(seconds=2), 7.0),))
        await at(3)
        world.lose()
        await at(10)
        assert len(world.snapshots.asked) == 2
        assert world.bids() == {"AAPL": 7.0, "MSFT": 6.0}


async def test_a_snapshot_never_sets_a_document_back(world: World) -> None:
    async with world.running():
        world.source.connection.say(quote("AAPL", now(), 9.0))
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0),))
        await at(3)
        world.lose()
        await at(10)
        assert world.bids() == {"AAPL": 9.0}


async def test_a_snapshot_never_sets_back_a_document_of_an_earlier_process(world: World) -> None:
    world.sink.quotes["AAPL"] = {"bid": 9.0, "ts": START}
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START - timedelta(seconds=1), 5.0),))
    async with world.running():
        assert world.bids()["AAPL"] == 9.0


async def test_an_unchanged_document_of_an_earlier_process_is_rewritten_for_this_session(world: World) -> None:
    world.sink.quotes["AAPL"] = {"bid": 5.0, "ts": START, "session_id": "before", "status": "paused"}
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0),))
    async with world.running():
        found = world.sink.quotes["AAPL"]
        assert (found["session_id"], found["status"], found["ts"]) == ("5e55", "live", START)


async def test_a_resumed_symbol_is_requested_again(world: World) -> None:
    async with world.running():
        world.job.declare(job(2, **ALPACA, pausedSymbols=[{"symbol": "AAPL"}]))
        await at(10)
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START + timedelta(seconds=9), 7.0),))
        world.job.declare(job(3, **ALPACA))
        await at(12)
        assert world.snapshots.asked[1:] == [(10, ["AAPL"])]
        assert world.bids() == {"AAPL": 7.0}


async def test_a_symbol_removed_and_added_during_its_request_is_requested_again(world: World) -> None:
    world.snapshots.goes_on.clear()
    async with world.running():
        world.job.declare(job(2, **ALPACA, pausedSymbols=[{"symbol": "AAPL"}]))
        await at(2)
        world.job.declare(job(3, **ALPACA))
        await at(3)
        answers = iter([MarketSnapshot(), MarketSnapshot((quote("AAPL", START + timedelta(seconds=2), 7.0),))])
        world.snapshots.answer = lambda: next(answers, MarketSnapshot())
        world.snapshots.goes_on.set()
        await at(20)
        assert world.bids() == {"AAPL": 7.0}


async def test_trades_that_were_unsubscribed_for_a_moment_are_requested_again(world: World) -> None:
    traded = Trade(symbol="AAPL", ts=START, price=55.0, size=1.0)
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 50.0),), (traded,))
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    async with world.running():
        assert world.sink.quotes["AAPL"]["price"] == 55.0
        for generation, channels in ((3, ["quotes"]), (4, ["quotes", "trades"])):
            world.job.declare(job(generation, **ALPACA, channels=channels))
            await at(seconds() + 0.1)
        await at(20)
        assert world.sink.quotes["AAPL"]["price"] == 55.0


async def test_a_trade_is_used_even_if_the_document_is_newer_than_its_quote(world: World) -> None:
    world.sink.quotes["AAPL"] = {"bid": 9.0, "ts": START + timedelta(seconds=1)}
    traded = Trade(symbol="AAPL", ts=START, price=55.0, size=1.0)
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 50.0),), (traded,))
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    async with world.running():
        assert world.bids()["AAPL"] == 9.0
        await at(5)
        world.source.connection.say(quote("AAPL", now(), 60.0))
        await at(8)
        assert (world.sink.quotes["AAPL"]["bid"], world.sink.quotes["AAPL"]["price"]) == (60.0, 55.0)


async def test_only_added_symbols_are_requested(world: World) -> None:
    async with world.running():
        world.job.declare(job(2, **ALPACA, symbols=["AAPL", "MSFT", "SPY"]))
        await at(5)
        assert world.snapshots.asked[1:] == [(1, ["SPY"])]


async def test_trades_set_the_price_only_if_the_job_has_trades(world: World) -> None:
    traded = Trade(symbol="AAPL", ts=START, price=55.0, size=1.0)
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 50.0),), (traded,))
    async with world.running():
        assert world.sink.quotes["AAPL"]["price"] == 75.5
        world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
        await at(10)
        assert world.sink.quotes["AAPL"]["price"] == 55.0


async def test_a_snapshot_that_arrives_after_a_pause_request_is_ignored(world: World) -> None:
    world.snapshots.goes_on.clear()
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0),))
    async with world.running():
        world.job.declare(job(2, **ALPACA, enabled=False))
        await at(3)
        world.snapshots.goes_on.set()
        await at(5)
        world.job.declare(job(3, **ALPACA))
        world.snapshots.answer = MarketSnapshot
        await at(20)
        assert world.bids() == {}


async def test_a_rejected_snapshot_is_logged_once_and_the_stream_continues(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.snapshots.failure = "it answers HTTP 403"
    async with world.running():
        await at(3600)
        assert 3 < len(world.snapshots.asked) < 60
        assert caplog.text.count("it answers HTTP 403") == 1
        assert world.journal.state == "Live"


@pytest.mark.parametrize("age", [1, 20, 1000])
async def test_a_connection_mute_from_its_start_is_replaced_within_two_minutes(world: World, age: float) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=age)),))
    async with world.running():
        await at(59)
        assert len(world.source.connections) == 1
        await at(75)
        assert len(world.source.connections) == 2
        # The new connection is as mute as the first, so it is replaced at growing intervals.
        await at(3600)
        assert 4 <= len(world.source.connections) <= 7


async def test_the_clock_of_the_node_has_no_part_in_it(world: World) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    clock, error = world.journal.now, timedelta()
    world.journal.now = lambda: clock() + error
    async with world.running():
        for step in (timedelta(hours=-1), timedelta(seconds=40), timedelta(minutes=30)):
            await at(seconds() + 15)
            error = step
        await at(75)
        assert len(world.source.connections) == 2


async def test_a_connection_that_falls_mute_in_extended_hours_is_replaced_within_200_seconds(world: World) -> None:
    extended = MarketState("open", session="extended")
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running(lambda _: extended):
        while seconds() < 150:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        assert len(world.source.connections) == 1
        await at(270)
        assert len(world.source.connections) == 2


async def test_a_connection_that_is_mute_after_a_reconnect_is_replaced(world: World) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running():
        while seconds() < 150:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        world.lose()
        await at(152 + 120)
        assert len(world.source.connections) == 3


async def test_mute_trades_are_found_while_quotes_arrive(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    world.snapshots.answer = lambda: MarketSnapshot(
        (quote("AAPL"),), (Trade(symbol="AAPL", ts=now(), price=1.0, size=1.0),)
    )
    async with world.running():
        while seconds() < 600:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        assert 2 <= len(world.source.connections) <= 3
        assert "AAPL was traded at" in caplog.text


async def test_a_mute_connection_is_found_although_firestore_is_away(world: World) -> None:
    world.sink.failure = SinkError("Firestore is away")
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running():
        await at(120)
        assert len(world.source.connections) == 2
        world.sink.failure = None


async def test_a_mute_connection_is_found_after_rest_was_overloaded_for_a_minute(world: World) -> None:
    async with world.running():
        await at(20)
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
        world.snapshots.failure = "it answers HTTP 429"
        await at(80)
        world.snapshots.failure = None
        await at(80 + 60 + 130)
        assert len(world.source.connections) == 2


async def test_silence_without_a_missed_quote_is_not_a_failure(world: World) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START - timedelta(seconds=5)),))
    async with world.running():
        await at(3600)
        assert len(world.source.connections) == 1
        assert len(world.snapshots.asked) <= 70


async def test_a_lively_connection_that_falls_silent_with_its_market_is_not_replaced(world: World) -> None:
    async with world.running():
        while seconds() < 600:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        last = now()
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", last), quote("MSFT", last)))
        await at(7200)
        assert len(world.source.connections) == 1


async def test_newer_quotes_of_a_halted_symbol_are_no_evidence(world: World) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL"),))
    async with world.running():
        world.journal.on_halts([Halt(symbol="AAPL", ts=now(), halted=True, code="H", reason="news")])
        await at(3600)
        assert len(world.source.connections) == 1


async def test_no_snapshot_is_requested_for_an_active_stream_or_a_closed_market(world: World) -> None:
    def closed(_: object) -> MarketState:
        return MarketState("closed")

    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=20)),))
    async with world.running(closed):
        await at(1800)
        assert len(world.snapshots.asked) == 1
        assert len(world.source.connections) == 1


async def test_a_snapshot_does_not_count_as_a_tick(world: World) -> None:
    async with world.running():
        world.journal.coalescer.take_ticked_symbols()
        world.journal.apply_market_snapshot(MarketSnapshot((quote("AAPL"),)))
        world.source.connection.say(quote("MSFT"))
        assert world.journal.coalescer.take_ticked_symbols() == {"MSFT"}
        world.source.connection.say(quote("AAPL", now() + timedelta(milliseconds=1)))
        world.journal.apply_market_snapshot(MarketSnapshot((quote("AAPL", now() + timedelta(milliseconds=2)),)))
        assert world.journal.coalescer.take_ticked_symbols() == {"AAPL"}
