import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.pause import Switch
from sluice_runtime.loops.latest_value import LatestValue
from sluice_runtime.loops.pause_control import PauseControl, PodSwitches
from sluice_runtime.loops.spec_watcher import update_desired_forever
from sluice_runtime.loops.waiting import cancel_and_wait
from sluice_runtime.ports import RequestRefusedError, StartRequest
from support.control_fakes import FakeDeclaration, FakeSwitchStore
from support.runtime_fakes import desired, job, journal
from support.virtual_time import at, seconds, settle

API = Switch(source="api", pauses=True, reason="bad prints")


class World:
    """Pause control with the spec watcher, and a supervisor that carries out a pause in half a second."""

    def __init__(self) -> None:
        self.journal = journal(with_pause(desired(), UNREAD))
        self.store = FakeSwitchStore()
        self.declaration = FakeDeclaration()
        self.control = PauseControl(PodSwitches(self.journal, self.store), self.journal, self.declaration)
        self.live: LatestValue[DeclaredJob | None] = LatestValue(job(1))
        self.pause_seconds = 0.5

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(update_desired_forever(self.live, self.journal)),
            asyncio.create_task(self._supervise()),
        ]
        await settle()
        try:
            yield
        finally:
            await cancel_and_wait(*tasks)

    async def _supervise(self) -> None:
        desired = self.journal.desired
        while True:
            version = desired.version
            if desired.value.pause is None:
                self.journal.on_state("Live")
            elif self.journal.state != "Paused":
                await asyncio.sleep(self.pause_seconds)
                self.journal.on_state("Paused")
                self.journal.acknowledge_pause()
            await desired.wait_for_change(version)


@pytest.fixture
async def world() -> World:
    return World()


async def test_stop_returns_when_the_pause_is_carried_out(world: World) -> None:
    async with world.running():
        assert await world.control.pause_job("bad prints")
        assert seconds() == 0.5
        assert world.journal.snapshot().acknowledgement is not None
        assert world.journal.desired.value.switches == ("api",)
        assert world.store.read() == (API,)
        assert await world.control.pause_job(None)
        assert seconds() == 0.5


async def test_a_pause_that_is_not_carried_out_in_time_is_not_confirmed(world: World) -> None:
    world.pause_seconds = 100.0
    async with world.running():
        assert not await world.control.pause_job(None)
        assert seconds() == 8
        assert world.journal.desired.value.switches == ("api",)


async def test_start_ends_this_switch_s_pause(world: World) -> None:
    async with world.running():
        await world.control.pause_job(None)
        assert await world.control.resume_job(StartRequest()) == ()
        assert world.journal.desired.value.pause is None
        assert world.store.read() == ()


async def test_start_ends_no_other_switch_s_pause_and_names_them(world: World) -> None:
    async with world.running():
        world.live.set(job(2, enabled=False))
        world.journal.set_switch(Switch(source="env:INGEST_ENABLED", pauses=True))
        await world.control.pause_job(None)
        assert await world.control.resume_job(StartRequest()) == ("cr:acme/us", "env:INGEST_ENABLED")


async def test_a_stop_right_after_a_start_waits_for_its_own_pause(world: World) -> None:
    async with world.running():
        await world.control.pause_job(None)
        await world.control.resume_job(StartRequest())
        assert await world.control.pause_job(None)
        assert seconds() == 1.0


async def test_a_job_that_was_never_read_can_be_stopped_and_not_started(world: World) -> None:
    world.live.set(None)
    async with world.running():
        assert await world.control.pause_job(None)
        assert await world.control.resume_job(StartRequest()) == ("start",)


async def test_a_rejected_start_request_changes_nothing(world: World) -> None:
    world.declaration.refusal = RequestRefusedError("patch the job")
    async with world.running():
        await world.control.pause_job(None)
        with pytest.raises(RequestRefusedError):
            await world.control.resume_job(StartRequest(dry_run=True))
        assert world.journal.desired.value.switches == ("api",)


async def test_start_requests_and_reloads_are_forwarded(world: World) -> None:
    async with world.running():
        await world.control.resume_job(StartRequest(symbols=["SPY"]))
        world.control.reload()
    assert world.declaration.history == ["wish SPY", "reload"]
    assert world.journal.documents.rewrite_requests == 1


async def test_a_refused_reload_requests_no_rewrite(world: World) -> None:
    world.declaration.refusal = RequestRefusedError("the document cannot be read")
    with pytest.raises(RequestRefusedError):
        world.control.reload()
    assert world.journal.documents.rewrite_requests == 0


async def test_a_stopped_feed_is_not_started_by_a_restart(world: World) -> None:
    world.store.write(API)
    PodSwitches(world.journal, world.store).restore()
    async with world.running():
        await at(10)
        assert world.journal.desired.value.switches == ("api",)
        assert await world.control.resume_job(StartRequest()) == ()


async def test_unreadable_switches_are_logged_and_do_not_stop_ingestion(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.failure = OSError("I/O error")
    PodSwitches(world.journal, world.store).restore()
    assert "PAUSE_CHECK_FAILED" in caplog.text
    assert world.journal.switches.value == ()
