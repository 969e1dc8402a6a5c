import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.desired import UNREAD, UNREAD_OBJECTS, with_pause
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loop_wiring import create_document_store, create_record_writer
from support.fake_sink import FakeSink
from support.runtime_fakes import bar, desired, identity, quote, runtime_state
from support.virtual_time import START, at, now, settle


class World:
    """A record writer with the state of a runtime and a fake sink."""

    def __init__(self, **spec: Any) -> None:
        self.sink = FakeSink()
        self.runtime = runtime_state(desired(**spec), who=identity(started_at=now()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(
            create_record_writer(self.runtime, create_document_store(self.runtime, self.sink, "fake:iex")).run()
        )
        await settle()
        try:
            yield
        finally:
            await cancel_and_wait(task)

    def written(self, symbol: str) -> list[float]:
        return [moment for moment, each in self.sink.recorded if each.canonical_symbol == symbol]


@pytest.fixture
async def world() -> World:
    return World()


async def test_the_records_are_there_at_once_and_follow_transitions_at_once(world: World) -> None:
    async with world.running():
        assert set(world.sink.records) == {"AAPL", "MSFT"}
        await at(10.5)
        world.runtime.desired.set(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await settle()
        assert world.sink.records["AAPL"]["status"] == "paused"
        assert world.written("AAPL") == [0, 10.5]
        assert world.written("MSFT") == [0]


async def test_no_record_says_that_a_symbol_is_resumed_before_the_pauses_have_been_read(world: World) -> None:
    world.runtime.desired.set(desired(pausedSymbols=[{"symbol": "AAPL"}]))
    async with world.running():
        assert world.sink.records["AAPL"]["status"] == "paused"
    world.runtime.desired.set(with_pause(desired(), UNREAD_OBJECTS))
    async with world.running():  # the next process: an IngestPause pauses the symbol, and has not been read yet
        await at(3)
        world.runtime.desired.set(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(6)
    assert {each.status for _, each in world.sink.recorded if each.canonical_symbol == "AAPL"} == {"paused"}


async def test_event_times_follow_once_a_minute(world: World) -> None:
    async with world.running():
        for second in range(1, 180):
            await at(second)
            world.runtime.stream.on_ticks([quote("AAPL")])
        assert world.written("AAPL") == [0, 60, 120]
        assert world.sink.records["AAPL"]["channels"]["quotes"]["last_ts"] > START


async def test_a_pause_destroys_nothing(world: World) -> None:
    world.runtime.stream.on_ticks([quote("AAPL")])
    async with world.running():
        before = world.sink.records["AAPL"]["channels"]
        world.runtime.updater.apply_desired(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(600)
        assert world.sink.records["AAPL"]["channels"] == before


async def test_nothing_is_written_in_a_dry_run_or_before_the_job_was_read() -> None:
    for world in (World(dryRun=True), World()):
        if not world.runtime.desired.value.dry_run:
            world.runtime.desired.set(with_pause(msgspec.structs.replace(desired(), generation=0), UNREAD))
        async with world.running():
            await asyncio.sleep(100)
        assert world.sink.recorded == []


async def test_a_failing_sink_is_reported_and_retried(world: World) -> None:
    world.sink.failure = SinkError("Firestore is away", 30.0)
    async with world.running():
        assert world.runtime.snapshot().sink_failure == "Firestore is away"
        assert world.runtime.counters.errors == {"ingest_state": 1}
        world.sink.failure = None
        await at(29)
        assert world.sink.recorded == []
        await at(32)
        assert set(world.sink.records) == {"AAPL", "MSFT"}
        assert world.runtime.snapshot().sink_failure is None


async def test_a_dry_run_ends_the_failure_of_the_records(world: World) -> None:
    world.sink.failure = SinkError("Firestore is away")
    async with world.running():
        await at(2)
        world.runtime.updater.apply_desired(desired(dryRun=True))
        await at(20)
        assert world.runtime.snapshot().sink_failure is None


async def test_first_records_are_written_at_the_rate_of_quotes_and_refreshes_at_a_tenth_of_it() -> None:
    symbols = [f"S{n}" for n in range(2000)]
    world = World(symbols=symbols)
    async with world.running():
        assert len(world.sink.recorded) == 100
        await at(96.5)
        assert len(world.sink.records) == 2000
        world.runtime.stream.on_ticks([quote(symbol) for symbol in symbols])
        await at(200.5)
        before = len(world.sink.recorded)
        await at(300.5)
        assert len(world.sink.recorded) - before == pytest.approx(200, abs=3)


async def test_the_time_of_the_last_bar_is_kept() -> None:
    world = World(channels=["quotes", "bars"])
    world.runtime.stream.on_bars([bar("AAPL")])
    async with world.running():
        channels = world.sink.records["AAPL"]["channels"]
        assert channels == {"bars": {"timeframe": "1Min", "last_bar_ts_utc": START}}
        assert "channels" not in world.sink.records["MSFT"]


async def test_removed_symbols_of_an_earlier_process_are_passed_on_and_recorded_when_deleted(world: World) -> None:
    async with world.running():
        pass
    again = World(symbols=["AAPL"])
    again.sink = world.sink
    async with again.running():
        assert again.runtime.removed_symbols.inherited_symbols == {"AAPL", "MSFT"}
        await at(10)
        assert again.sink.records["MSFT"]["status"] == "active"
        again.runtime.removed_symbols.record_deleted(["MSFT"])
        await at(12)
        assert (again.sink.records["MSFT"]["status"], again.sink.records["MSFT"]["job"]) == ("removed", None)
        assert again.runtime.removed_symbols.deleted_symbols == set()


async def test_another_job_s_records_are_not_changed(world: World) -> None:
    world.sink.records["SPY"] = {"job": "acme/other", "status": "active", "pause_fetch": False}
    async with world.running():
        world.runtime.removed_symbols.record_deleted(["SPY"])
        await at(5)
        assert "SPY" not in world.runtime.removed_symbols.inherited_symbols
        assert world.sink.records["SPY"]["status"] == "active"


async def test_a_pause_of_a_symbol_is_one_gap_although_the_pod_is_replaced(world: World) -> None:
    paused = desired(pausedSymbols=[{"symbol": "AAPL"}])
    world.runtime.updater.apply_desired(desired())
    async with world.running():
        await at(10)
        world.runtime.updater.apply_desired(paused)
        await at(12)
        assert world.sink.records["AAPL"]["paused_since"] == START + timedelta(seconds=10)
        assert "paused_since" not in world.sink.records["MSFT"]
    await at(60)
    successor = World()
    successor.sink = world.sink
    successor.runtime.updater.apply_desired(paused)
    async with successor.running():
        await at(70)
        successor.runtime.updater.apply_desired(desired())
        successor.runtime.stream.on_acknowledgement(frozenset({"AAPL", "MSFT"}), ())
    [gap] = successor.runtime.gaps.waiting(10)
    assert (gap.gap.from_, gap.gap.to) == (START + timedelta(seconds=10), START + timedelta(seconds=70))
    assert gap.symbols == ("AAPL",)


async def test_an_old_start_of_a_pause_that_had_ended_is_not_taken_over(world: World) -> None:
    world.sink.records["AAPL"] = {"job": "acme/us", "pause_fetch": False, "paused_since": START - timedelta(days=1)}
    world.runtime.updater.apply_desired(desired(pausedSymbols=[{"symbol": "AAPL"}]))
    async with world.running():
        await at(1)
    assert world.runtime.gaps.paused_since("AAPL") == START


async def test_changes_are_written_from_what_the_daily_budget_sets_aside_and_refreshes_are_not() -> None:
    world = World(limits={"writesPerDay": 20_000})
    async with world.running():
        world.runtime.write_budget.record_sent(world.runtime.write_budget.room_for_data + 100)
        await at(70)
        world.runtime.stream.on_ticks([quote("AAPL"), quote("MSFT")])
        await at(80)
        assert world.written("AAPL") == world.written("MSFT") == [0]
        world.runtime.desired.set(desired(limits={"writesPerDay": 20_000}, pausedSymbols=[{"symbol": "AAPL"}]))
        await settle()
        assert world.sink.records["AAPL"]["status"] == "paused"


async def test_a_refresh_leaves_half_of_the_tokens_for_changes() -> None:
    names = [f"S{number:03}" for number in range(80)]
    world = World(symbols=names, limits={"writesPerDay": 20_000})
    async with world.running():
        assert len(world.sink.records) == 80
        await at(70)
        world.runtime.stream.on_ticks([quote(name) for name in names])
        await at(80)
        refreshed = [each for moment, each in world.sink.recorded if moment > 1]
        assert len(refreshed) == 0  # 20 tokens are left of 100
