"""The drain: the flusher writes all that is pending, and then nothing more."""

import asyncio

import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import SinkError
from support.runtime_fakes import desired
from support.runtime_worlds import PAUSE, FlushingWorld
from support.virtual_time import at, seconds


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld()


async def test_a_drain_writes_all_that_is_pending_without_throttle_in_batches() -> None:
    names = [f"S{n}" for n in range(250)]
    world = FlushingWorld(desired(symbols=names, limits={"writesPerSecond": 1, "burst": 1}))
    world.say(*names)
    await world.flusher.drain_and_close()
    assert [len(batch) for _, batch in world.sink.writes] == [100, 100, 50]
    assert seconds() == 0


async def test_after_a_drain_nothing_is_written_until_the_flusher_is_opened(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1)
        await world.flusher.drain_and_close()
        writes = len(world.sink.writes)
        world.say("AAPL", bid=2)
        await at(60)
        assert len(world.sink.writes) == writes == 1
        world.flusher.reopen_and_requeue_dropped()
        await at(61)
        assert world.sink.quotes["AAPL"]["bid"] == 2


async def test_a_hanging_sink_delays_a_drain_by_three_seconds_at_most(
    world: FlushingWorld,
) -> None:
    world.sink.hangs = True
    world.say("AAPL", "MSFT")
    await world.flusher.drain_and_close()
    assert seconds() == pytest.approx(3.0)
    assert len(world.runtime.market.coalescer) == 0
    assert world.runtime.counters.suppressed == {"drained": 2}


async def test_a_flush_in_flight_when_a_drain_gives_up_writes_nothing_afterwards() -> None:
    names = [f"S{n}" for n in range(500)]
    world = FlushingWorld(desired(symbols=names, limits={"writesPerSecond": 500, "burst": 1000}))
    async with world.running():
        world.sink.seconds = 5.0
        world.say(*names)
        await at(0.3)
        world.want(with_pause(world.runtime.desired.value, PAUSE))
        await world.flusher.drain_and_close()
        assert seconds() == pytest.approx(3.3)
        writes = len(world.sink.writes)
        assert world.sink.in_flight.total() == 0
        await at(60)
        assert len(world.sink.writes) == writes
        assert len(world.runtime.market.coalescer) == 0


async def test_chores_in_flight_when_a_drain_gives_up_change_no_document_afterwards() -> None:
    names = [f"S{n}" for n in range(100)]
    world = FlushingWorld(desired(symbols=names))
    async with world.running():
        await at(0.5)
        world.sink.seconds = 0.1
        world.want(desired(symbols=names, pausedSymbols=[{"symbol": name} for name in names]))
        await at(0.7)
        world.want(with_pause(world.runtime.desired.value, PAUSE))
        await world.flusher.drain_and_close()
        done = len(world.sink.history)
        await at(60)
        assert 0 < len(world.sink.history) == done < 100


async def test_a_drain_to_a_failing_sink_ends_at_once(world: FlushingWorld) -> None:
    world.sink.failure = SinkError("denied", 30.0)
    world.say("AAPL")
    await world.flusher.drain_and_close()
    assert seconds() == 0
    assert world.runtime.snapshot().sink_failure == "denied"


async def test_a_second_drain_has_nothing_to_do(world: FlushingWorld) -> None:
    await world.flusher.drain_and_close()
    world.say("AAPL")
    await world.flusher.drain_and_close()
    assert world.sink.history == []


async def test_a_cancelled_write_is_not_lost_before_the_last_drain(world: FlushingWorld) -> None:
    task = asyncio.create_task(world.flusher.run())
    world.sink.seconds = 1.0
    world.say("AAPL")
    await at(0.5)
    await cancel_and_wait(task)
    await world.flusher.drain_and_close()
    assert set(world.sink.quotes) == {"AAPL"}


async def test_the_next_drain_completes_one_that_was_interrupted(world: FlushingWorld) -> None:
    world.sink.seconds = 1.0
    world.say("AAPL")
    pausing = asyncio.create_task(world.flusher.drain_and_close())
    await at(0.5)
    await cancel_and_wait(pausing)
    assert world.sink.writes == []
    await world.flusher.drain_and_close()
    assert set(world.sink.quotes) == {"AAPL"}
    world.say("AAPL", bid=9.0)
    await world.flusher.drain_and_close()
    assert len(world.sink.writes) == 1


async def test_the_last_drain_writes_quotes_before_deletions_and_tries_both_despite_failures(
    world: FlushingWorld,
) -> None:
    async with world.running():
        world.say("AAPL", "MSFT")
        await at(2)
        world.sink.failure = SinkError("away", 30.0)
        world.want(desired(symbols=["AAPL"]))
        await at(4)
        world.sink.failure = None
        world.say("AAPL", bid=2.0)
    await world.flusher.drain_and_close()
    assert world.sink.history[-2:] == ["write", "delete"]
    assert set(world.sink.quotes) == {"AAPL"}


async def test_a_symbol_added_in_a_slow_flush_and_removed_in_the_pause_leaves_no_document() -> None:
    world = FlushingWorld(desired(symbols=["AAPL", "MSFT"]))
    async with world.running():
        world.say("AAPL")
        await at(1)
        world.sink.seconds = 2.0
        world.say("AAPL", bid=2.0)
        await at(2)
        world.want(desired(symbols=["AAPL", "MSFT", "NVDA"]))
        world.say("NVDA")
        world.want(with_pause(world.runtime.desired.value, PAUSE))
        await world.flusher.drain_and_close()
        world.sink.seconds = 0.0
        world.want(with_pause(desired(), PAUSE))
        await at(20)
        world.want(desired())
        world.flusher.reopen_and_requeue_dropped()
        await at(25)
    assert "NVDA" not in world.sink.quotes


async def test_a_drain_keeps_to_the_daily_budget() -> None:
    names = [f"S{n}" for n in range(30)]
    world = FlushingWorld(desired(symbols=names, limits={"writesPerDay": 20_000}))
    budget = world.runtime.write_budget
    budget.record_sent(budget.room_for_data - 7)
    world.say(*names)
    await world.flusher.drain_and_close()
    assert sum(len(batch) for _, batch in world.sink.writes) == 7
    assert world.runtime.counters.suppressed == {"drained": 23}
