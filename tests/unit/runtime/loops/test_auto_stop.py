import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.pause import Switch
from sluice_runtime.loop_wiring import stream_parts
from sluice_runtime.loops.auto_stop import AutoStopMonitor, wait_until_paused_for_good
from sluice_runtime.loops.pause_control import PodSwitches
from support.control_fakes import FakeSwitchStore
from support.runtime_fakes import desired, job, runtime_state
from support.runtime_worlds import update_desired
from support.virtual_time import at, settle

LIMITS = {"autoStop": {"afterSeconds": 60}}


class World:
    """The automatic stop and the spec watcher of one job."""

    def __init__(self) -> None:
        self.runtime = runtime_state(with_pause(desired(), UNREAD))
        self.store = FakeSwitchStore()
        self.pod_switches = PodSwitches(self.runtime.switches, self.store)
        self.live: LatestValue[DeclaredJob | None] = LatestValue(None)
        self._generation = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.pod_switches.restore()
        guard = asyncio.create_task(AutoStopMonitor(stream_parts(self.runtime), self.pod_switches).run())
        steering = asyncio.create_task(update_desired(self.live, self.runtime))
        try:
            yield
        finally:
            await cancel_and_wait(guard, steering)

    async def declare(self, **spec: Any) -> None:
        self._generation += 1
        self.live.set(job(self._generation, **spec))
        await settle()

    @property
    def stopped(self) -> str | None:
        """Return the reason of the automatic stop, or None."""
        pause = self.runtime.desired.value.pause
        return pause.reason if pause and pause.source == "autoStop" else None


@pytest.fixture
async def world() -> World:
    return World()


async def test_it_stops_after_its_time_and_says_why(world: World) -> None:
    async with world.running():
        await at(10)
        await world.declare(**LIMITS)
        await at(69.9)
        assert world.stopped is None
        await at(70)
        assert world.stopped == "autoStop.afterSeconds: the job has streamed for 60 s"


async def test_the_time_of_a_pause_does_not_count(world: World) -> None:
    async with world.running():
        await world.declare(**LIMITS)
        await at(50)
        await world.declare(enabled=False, **LIMITS)
        await at(100)
        await world.declare(**LIMITS)
        await at(159)
        assert world.stopped is None
        await at(160)
        assert world.stopped


async def test_it_stops_after_errors_in_a_row(world: World) -> None:
    async with world.running():
        await world.declare(autoStop={"afterConsecutiveErrors": 3})
        for _ in range(2):
            world.runtime.stream.record_failure(StreamError("network", "away"))
            await settle()
        assert world.stopped is None
        world.runtime.stream.record_failure(StreamError("network", "away"))
        await settle()
        assert world.stopped == "autoStop.afterConsecutiveErrors: 3 consecutive failures"


async def test_it_streams_again_when_the_job_s_switch_was_off_once(world: World) -> None:
    async with world.running():
        await world.declare(**LIMITS)
        await at(60)
        await world.declare(symbols=["SPY"], **LIMITS)
        assert world.stopped
        await world.declare(enabled=False, **LIMITS)
        await world.declare(**LIMITS)
        assert world.runtime.desired.value.pause is None
        await at(119)
        assert world.stopped is None
        await at(120)
        assert world.stopped


@pytest.mark.parametrize("later", [{}, {"autoStop": {"afterSeconds": 600}}])
async def test_it_streams_again_when_its_limit_is_raised(world: World, later: dict[str, Any]) -> None:
    async with world.running():
        await world.declare(**LIMITS)
        await at(60)
        await world.declare(**later)
        assert world.runtime.desired.value.pause is None


async def test_another_switch_does_not_end_an_automatic_stop(world: World) -> None:
    async with world.running():
        await world.declare(**LIMITS)
        await at(60)
        for pauses in (True, False):
            world.pod_switches.set_and_store(Switch(source="api", pauses=pauses))
            await settle()
        assert world.stopped


async def test_a_restart_does_not_end_an_automatic_stop(world: World) -> None:
    world.store.write(Switch(source="autoStop", pauses=True, reason="before"))
    async with world.running():
        await world.declare(**LIMITS)
        await at(10)
        assert world.stopped == "before"
    assert [each.source for each in world.store.read()] == ["autoStop"]


async def test_without_limits_it_never_stops(world: World) -> None:
    async with world.running():
        await world.declare()
        for _ in range(100):
            world.runtime.stream.record_failure(StreamError("network", "away"))
        await at(100_000)
        assert world.runtime.desired.value.pause is None


async def test_a_job_that_is_paused_when_the_time_is_over_is_paused_for_good(world: World) -> None:
    waiting = asyncio.create_task(wait_until_paused_for_good(stream_parts(world.runtime), 60))
    async with world.running():
        await world.declare(enabled=False, **LIMITS)
        world.runtime.stream.on_state("Paused")
        world.runtime.stream.acknowledge_pause(world.runtime.sink_health.last_write_at)
        await at(59)
        assert not waiting.done()
        await at(61)
        assert waiting.done()


async def test_an_auto_stop_is_for_good_when_it_is_acknowledged_and_another_pause_is_not(world: World) -> None:
    waiting = asyncio.create_task(wait_until_paused_for_good(stream_parts(world.runtime), 900))
    async with world.running():
        await world.declare(enabled=False, **LIMITS)
        world.runtime.stream.on_state("Paused")
        world.runtime.stream.acknowledge_pause(world.runtime.sink_health.last_write_at)
        await settle()
        assert not waiting.done()
        await world.declare(**LIMITS)
        world.runtime.stream.on_state("Live")
        await at(200)
        assert world.stopped is not None
        assert not waiting.done()
        world.runtime.stream.on_state("Paused")
        world.runtime.stream.acknowledge_pause(world.runtime.sink_health.last_write_at)
        await settle()
        assert waiting.done()
