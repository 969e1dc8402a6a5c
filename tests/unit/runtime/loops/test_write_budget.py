"""The daily budget with the loops that use it, in virtual time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.heartbeat_owner import StoredHeartbeat
from sluice_runtime.domain.market import DocumentOrigin
from sluice_runtime.domain.write_budget import budget_day
from sluice_runtime.loop_wiring import create_flusher, create_write_budget_monitor
from sluice_runtime.loops.heartbeat import send_heartbeats_forever
from sluice_runtime.loops.market_clock import MarketClock
from sluice_runtime.loops.write_log import WriteLog
from support.fake_sink import JOB
from support.metered_sink import MeteredSink
from support.runtime_fakes import desired, job, quote, runtime_state, runtime_view
from support.runtime_worlds import store, update_desired
from support.virtual_time import at, seconds, settle

DAY = budget_day(datetime.fromisoformat("2026-11-28T20:00:00+00:00"))
LONG_DAY = budget_day(datetime.fromisoformat("2026-11-01T20:00:00+00:00"))  # 25 hours
SYMBOLS = [f"S{number}" for number in range(10)]
LIMIT = 20_000
SPEC: dict[str, Any] = {
    "symbols": SYMBOLS,
    "limits": {"writesPerDay": LIMIT, "flushIntervalMilliseconds": 10_000},
}


class World:
    """The flusher, the heartbeats and the budget of a job whose clock starts at `begins`."""

    def __init__(self, begins: datetime = DAY.begins, **spec: Any) -> None:
        self.begins = begins
        self.runtime = runtime_state(desired(**SPEC), self.now)
        self.sink = MeteredSink(self.runtime.write_budget)
        self.live: LatestValue[DeclaredJob | None] = LatestValue(job(1, **(SPEC | spec)))
        self.budget = self.runtime.write_budget
        self._generation = 1

    def now(self) -> datetime:
        return self.begins + timedelta(seconds=seconds())

    def declare(self, **spec: Any) -> None:
        self._generation += 1
        self.live.set(job(self._generation, **(SPEC | spec)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        runtime = self.runtime
        origin = DocumentOrigin(source="fake", job=JOB, session_id="s", epoch=1)
        documents = store(runtime, self.sink, origin)
        view = runtime_view(runtime)
        loops = (
            create_flusher(runtime, documents, Backoff(0.5, 30.0, lambda _, high: high), WriteLog()).run(),
            send_heartbeats_forever(documents, view.snapshot, runtime.desired, runtime.instruments),
            create_write_budget_monitor(runtime, MarketClock(runtime.desired)).run(),
            update_desired(self.live, runtime),
        )
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await settle()
            yield
        finally:
            await cancel_and_wait(*tasks)

    async def tick_until(self, moment: float, every: float = 10.0) -> None:
        """Receive a changed quote of each symbol every `every` seconds."""
        while seconds() < moment:
            bid = 1.0 + seconds()
            self.runtime.stream.on_ticks([quote(symbol, ts=self.now(), bid=bid) for symbol in SYMBOLS])
            await asyncio.sleep(every)

    def pause_source(self) -> str | None:
        pause = self.runtime.desired.value.pause
        return pause.source if pause is not None else None


async def test_a_day_of_plenty_uses_nearly_all_of_the_budget_and_never_more() -> None:
    world = World(LONG_DAY.begins, heartbeat={"intervalSeconds": 30})
    length = LONG_DAY.seconds_left(LONG_DAY.begins)
    async with world.running():
        await world.tick_until(length - 30, every=20.0)
        used = world.sink.document_count
        assert world.budget.account().used == used
        assert 0.95 * LIMIT <= used <= LIMIT
        beats = [moment for moment, _ in world.sink.beats]
        assert len(beats) >= (length - 60) / 30
        assert max(later - earlier for earlier, later in pairwise(beats)) <= 30.1
        by_hour = Counter(int(moment // 3600) for moment, batch in world.sink.writes for _ in batch)
        assert max(by_hour.values()) <= 2 * by_hour.total() / 25  # no hour gets more than twice its share


async def test_the_job_pauses_when_the_budget_is_used_up_and_resumes_at_midnight() -> None:
    world = World(DAY.ends - timedelta(minutes=30))
    async with world.running():
        await world.tick_until(60)
        assert world.pause_source() is None
        world.budget.record_sent(world.budget.room_for_data)
        await world.tick_until(70)
        assert world.pause_source() == "quota"
        pause = world.runtime.desired.value.pause
        assert pause is not None
        assert (pause.until, "Raise limits.writesPerDay" in (pause.reason or "")) == (DAY.ends, True)
        writes, beats = len(world.sink.writes), len(world.sink.beats)
        await world.tick_until(1790)
        assert len(world.sink.writes) == writes
        assert len(world.sink.beats) - beats >= 1700 // 15
        assert world.sink.beats[-1][1].ingest_enabled_source == "quota"
        assert world.budget.account().used <= LIMIT
        await world.tick_until(1830)
        assert world.pause_source() is None
        assert len(world.sink.writes) > writes
        assert world.budget.account().day == DAY.day + timedelta(days=1)


async def test_a_larger_limit_ends_the_pause_at_once() -> None:
    world = World()
    async with world.running():
        world.budget.record_sent(world.budget.room_for_data)
        await at(10)
        assert world.pause_source() == "quota"
        world.declare(limits={"writesPerDay": 2 * LIMIT})
        await settle()
        assert world.pause_source() is None
        world.declare()
        await settle()
        assert world.pause_source() == "quota"
        world.declare(limits={})
        await settle()
        assert world.pause_source() is None


async def test_changes_of_the_state_are_logged_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World(DAY.ends - timedelta(minutes=30))
    async with world.running():
        await at(20)
        before = world.runtime.transitions.value
        world.budget.record_sent(16_000)
        await at(40)
        assert world.runtime.transitions.value == before + 1
        world.budget.record_sent(world.budget.room_for_data)
        await at(60)
    lines = [each.getMessage() for each in caplog.records if getattr(each, "event_type", "") == "write_budget"]
    assert len(lines) == 3
    assert lines[0].startswith("the write budget is sufficient")
    assert lines[1].startswith("80 % of the write budget")
    assert lines[2].startswith("the write budget is used up")


async def test_heartbeats_of_transitions_wait_when_only_those_at_the_interval_are_left() -> None:
    world = World()
    async with world.running():
        await at(1)
        world.budget.record_sent(world.budget.room_for_transitions)
        beats = len(world.sink.beats)
        for second in range(2, 120):
            world.runtime.transitions.signal()
            await at(second)
        assert 7 <= len(world.sink.beats) - beats <= 9


async def test_a_restart_continues_the_count_and_stays_paused() -> None:
    world = World()
    async with world.running():
        await world.tick_until(30)
        world.budget.record_sent(world.budget.room_for_data)
        await world.tick_until(60)
        assert world.pause_source() == "quota"
        used = world.budget.account().used
        heartbeat, heartbeat_at = world.sink.heartbeat, world.sink.heartbeat_at
    assert heartbeat is not None
    assert heartbeat["writes_used"] == used
    again = World()
    again.sink.heartbeat, again.sink.heartbeat_at = heartbeat | {"status": "paused"}, heartbeat_at
    async with again.running():
        await again.tick_until(90)
        assert again.pause_source() == "quota"
        assert again.sink.writes == []
        assert again.budget.account().used == used + again.sink.document_count


async def test_an_unreadable_heartbeat_document_is_read_again() -> None:
    world = World()
    failing = FailingOnce(world.runtime.write_budget)
    world.sink = failing
    async with world.running():
        await at(0.01)
        assert (failing.beats, world.budget.is_continued.value) == ([], False)
        await at(2)
        assert (len(failing.beats) > 0, world.budget.is_continued.value) == (True, True)


class FailingOnce(MeteredSink):
    """A sink whose first read of the heartbeat document fails."""

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        if not self.history:
            self.history.append("read refused")
            raise SinkError("no answer")
        return await super().stored_heartbeat()
