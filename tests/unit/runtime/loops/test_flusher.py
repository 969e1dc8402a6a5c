"""The flusher with a fake sink: its schedule, its limits, and failed writes."""

import asyncio
import random
from datetime import timedelta
from itertools import pairwise
from typing import cast

import pytest

from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import SinkError
from support.runtime_fakes import FakeConnection, FakeSource, desired, quote
from support.runtime_worlds import PAUSE, FlushingWorld
from support.virtual_time import VirtualTimeLoop, at, now, seconds, settle


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld()


def gaps(moments: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(moments)]


async def chatter(world: FlushingWorld, until: float) -> None:
    while seconds() < until:
        world.say("AAPL", bid=seconds() + 1)
        await asyncio.sleep(0.1)


async def test_a_busy_symbol_is_written_once_an_interval_although_timers_are_late(world: FlushingWorld) -> None:
    source = random.Random(3)
    cast(VirtualTimeLoop, asyncio.get_running_loop()).lateness = lambda: source.uniform(0.0, 0.004)
    async with world.running():
        await chatter(world, 60.0)
    found = gaps([moment for moment, _ in world.sink.written("AAPL")])
    assert sum(found) / len(found) == pytest.approx(1.0, abs=0.001)


async def test_the_first_quote_of_all_is_written_at_once_and_the_next_with_its_tick(world: FlushingWorld) -> None:
    async with world.running():
        await at(0.31)
        world.say("AAPL")
        await settle()
        world.say("MSFT")
        await at(1)
    assert [moment for moment, _ in world.sink.writes] == pytest.approx([0.31, 0.51])


async def test_a_flush_writes_the_quotes_that_wait_in_the_socket(world: FlushingWorld) -> None:
    connection = world.connect()
    async with world.running():
        world.say("AAPL", bid=1)
        await at(1.15)
        world.say("AAPL", bid=2)
        connection.arrived = [quote("AAPL", bid=3), quote("MSFT", bid=4)]
        await at(1.25)
        assert {name: each["bid"] for name, each in world.sink.quotes.items()} == {"AAPL": 3, "MSFT": 4}
        assert world.sink.writes[-1][0] == pytest.approx(1.2)


async def test_a_pause_that_begins_while_a_flush_waits_for_the_socket_prevents_the_flush(world: FlushingWorld) -> None:
    class PausingConnection(FakeConnection):
        """A connection during whose delivery a pause begins."""

        async def deliver_arrived_data(self) -> None:
            if self.arrived:
                world.want(with_pause(world.runtime.desired.value, PAUSE))
            await super().deliver_arrived_data()

    connection = PausingConnection(FakeSource(), world.runtime.stream)
    world.runtime.connection.set(connection)
    async with world.running():
        world.say("AAPL", bid=1)
        await at(1.15)
        connection.arrived = [quote("AAPL", bid=2)]
        await at(3)
        assert connection.arrived == []
        assert len(world.sink.writes) == 1


async def test_the_document_equals_the_last_tick_of_a_burst(world: FlushingWorld) -> None:
    async with world.running():
        for bid in range(1, 100):
            world.say("AAPL", bid=bid)
            await asyncio.sleep(0.01)
        await at(10)
        assert world.sink.quotes["AAPL"]["bid"] == 99
        assert len(world.sink.written("AAPL")) <= 3


async def test_a_stall_causes_no_burst_of_late_flushes(world: FlushingWorld) -> None:
    async with world.running():
        await at(1.0)
        world.say("AAPL")
        world.sink.seconds = 2.0
        await at(3.1)
        world.sink.seconds = 0.0
        writes = len(world.sink.writes)
        await chatter(world, 5.0)
        assert len(world.sink.writes) - writes <= 4


async def test_the_budget_bounds_the_documents_a_second() -> None:
    names = [f"S{n}" for n in range(300)]
    world = FlushingWorld(desired(symbols=names))
    async with world.running():
        while seconds() < 30:
            world.say(*names, bid=seconds() + 1)
            await asyncio.sleep(0.2)
        assert sum(len(batch) for _, batch in world.sink.writes) == pytest.approx(40 + 20 * 30, abs=25)
        assert set(world.sink.quotes) == set(names)


async def test_no_request_has_more_than_a_hundred_documents() -> None:
    names = [f"S{n}" for n in range(250)]
    world = FlushingWorld(desired(symbols=names, limits={"writesPerSecond": 500, "burst": 1000}))
    async with world.running():
        world.say(*names)
        await at(1)
        assert [len(batch) for _, batch in world.sink.writes] == [100, 100, 50]


async def test_each_document_has_the_next_number_of_its_session(world: FlushingWorld) -> None:
    async with world.running():
        for bid in range(3):
            world.say("AAPL", "MSFT", bid=bid)
            await asyncio.sleep(1.2)
    documents = [each for _, batch in world.sink.writes for each in batch]
    assert [each.seq for each in documents] == list(range(1, 7))
    assert {(each.session_id, each.epoch, each.source) for each in documents} == {("s", 7, "fake:iex")}


async def test_a_failed_write_is_retried_with_the_newest_value(world: FlushingWorld) -> None:
    async with world.running():
        world.sink.failure = SinkError("Firestore is away")
        world.say("AAPL", "MSFT", bid=1)
        await at(0.3)
        assert world.runtime.snapshot().sink_failure == "Firestore is away"
        world.say("AAPL", bid=2)
        world.sink.failure = None
        await at(2)
        assert {name: each["bid"] for name, each in world.sink.quotes.items()} == {"AAPL": 2, "MSFT": 1}
        assert len(world.sink.written("AAPL")) == 1
        assert world.runtime.snapshot().sink_failure is None


async def test_an_outage_is_probed_at_growing_intervals_without_using_memory(world: FlushingWorld) -> None:
    world.sink.failure = SinkError("Firestore is away")
    async with world.running():
        await chatter(world, 600.0)
        assert len(world.runtime.market.coalescer) == 1
        assert world.sink.attempts < 30
        assert world.runtime.counters.errors["firestore_write"] == world.sink.attempts
        world.sink.failure = None
        await chatter(world, 640.0)
        assert world.sink.quotes["AAPL"]["bid"] > 630
        attempts = world.sink.attempts
        world.sink.failure = SinkError("again")
        await chatter(world, 642.0)
        assert world.sink.attempts - attempts >= 2


async def test_a_permanent_rejection_is_not_probed_before_its_time(world: FlushingWorld) -> None:
    world.sink.failure = SinkError("denied", 30.0)
    async with world.running():
        await chatter(world, 29.0)
        assert world.sink.attempts == 1


async def test_a_dry_run_writes_nothing_and_logs_what_it_would_write(
    world: FlushingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.want(desired(dryRun=True))
    async with world.running():
        world.say("AAPL", "MSFT")
        await at(1)
        world.want(desired(dryRun=True, symbols=["AAPL"], pausedSymbols=[{"symbol": "AAPL"}]))
        await at(2)
        await world.flusher.drain_and_close()
    assert world.sink.history == []
    assert world.runtime.counters.suppressed["dry_run"] == 2
    lines = [vars(record) for record in caplog.records]
    assert [line["symbol"] for line in lines if line["event_type"] == "quote"] == ["AAPL", "MSFT"]
    assert [line["symbol"] for line in lines if line["event_type"] == "would_write"] == ["AAPL", "MSFT"]


async def test_documents_of_removed_symbols_are_deleted_and_of_paused_ones_marked(
    world: FlushingWorld,
) -> None:
    async with world.running():
        world.say("AAPL", "MSFT")
        await at(1)
        world.want(desired(symbols=["AAPL"], pausedSymbols=[{"symbol": "AAPL"}]))
        await at(2)
        assert (world.sink.deleted, world.sink.marked) == (["MSFT"], [("AAPL", "paused")])
        assert {name: each["status"] for name, each in world.sink.quotes.items()} == {"AAPL": "paused"}
        world.want(desired(symbols=["AAPL"]))
        world.say("AAPL")
        await at(3)
        assert world.sink.quotes["AAPL"]["status"] == "live"


async def test_the_document_of_a_symbol_removed_just_before_shutdown_is_deleted(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT")
        await at(1)
        world.want(desired(symbols=["AAPL"]))
        await world.flusher.drain_and_close()
        assert world.sink.deleted == ["MSFT"]


async def test_a_failed_chore_is_retried_unless_it_is_no_longer_needed(world: FlushingWorld) -> None:
    async with world.running():
        await at(0.5)
        world.sink.failure = SinkError("away")
        world.want(desired(symbols=["AAPL"]))
        await at(1)
        world.want(desired(symbols=["AAPL", "MSFT"], pausedSymbols=[{"symbol": "AAPL"}]))
        world.sink.failure = None
        await at(5)
        assert (world.sink.deleted, world.sink.marked) == ([], [("AAPL", "paused"), ("MSFT", "live")])


async def test_chores_wait_for_the_end_of_a_pause(world: FlushingWorld) -> None:
    async with world.running():
        await at(0.5)
        world.want(with_pause(desired(symbols=["AAPL"]), PAUSE))
        await world.flusher.drain_and_close()
        await at(30)
        assert world.sink.history == []
        world.want(desired(symbols=["AAPL"]))
        world.flusher.reopen_and_requeue_dropped()
        await at(31)
        assert world.sink.deleted == ["MSFT"]


async def test_new_limits_hold_from_the_next_flush(world: FlushingWorld) -> None:
    async with world.running():
        await at(1)
        world.want(desired(limits={"minIntervalMilliseconds": 200, "flushIntervalMilliseconds": 100}))
        writes = len(world.sink.writes)
        await chatter(world, 3.0)
        assert len(world.sink.writes) - writes == pytest.approx(10, abs=1)


async def test_the_loop_s_tick_time_advances_whatever_happens(world: FlushingWorld) -> None:
    async with world.running():
        await world.flusher.drain_and_close()
        await at(100)
        assert now() - world.runtime.process.loop_tick_at <= timedelta(seconds=0.2)
        world.flusher.reopen_and_requeue_dropped()
        world.sink.failure = SinkError("away")
        await chatter(world, 200)
        await settle()
        assert now() - world.runtime.process.loop_tick_at <= timedelta(seconds=0.4)
