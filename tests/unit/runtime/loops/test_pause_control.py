import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_contract.values import REASON_CHARACTERS
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.pause import Switch
from sluice_runtime.loop_wiring import create_pause_control
from sluice_runtime.loops.pause_control import PodSwitches
from sluice_runtime.ports import RequestRefusedError, StartRequest
from support.control_fakes import FakeDeclaration, FakeSwitchFile, FakeSwitchStore
from support.runtime_fakes import desired, job, runtime_state
from support.runtime_worlds import SupervisedWorld, update_desired
from support.virtual_time import at, seconds, settle

API = Switch(source="api", pauses=True, reason="bad prints")


class World:
    """Pause control with the spec watcher, and a supervisor that carries out a pause in half a second."""

    def __init__(self) -> None:
        self.runtime = runtime_state(with_pause(desired(), UNREAD))
        self.store = FakeSwitchStore()
        self.declaration = FakeDeclaration()
        self.file = FakeSwitchFile(self.runtime.switches)
        pod_switches = PodSwitches(self.runtime.switches, self.store)
        self.control = create_pause_control(self.runtime, pod_switches, self.declaration, self.file)
        self.live: LatestValue[DeclaredJob | None] = LatestValue(job(1))
        self.pause_seconds = 0.5

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(update_desired(self.live, self.runtime)),
            asyncio.create_task(self._supervise()),
        ]
        await settle()
        try:
            yield
        finally:
            await cancel_and_wait(*tasks)

    async def _supervise(self) -> None:
        desired = self.runtime.desired
        while True:
            version = desired.version
            if desired.value.pause is None:
                self.runtime.stream.on_state("Live")
            elif self.runtime.stream.state != "Paused":
                await asyncio.sleep(self.pause_seconds)
                self.runtime.stream.on_state("Paused")
                self.runtime.stream.acknowledge_pause(self.runtime.sink_health.last_write_at)
            await desired.wait_for_change(version)


@pytest.fixture
async def world() -> World:
    return World()


async def test_stop_returns_when_the_pause_is_carried_out(world: World) -> None:
    async with world.running():
        assert await world.control.pause_job("bad prints")
        assert seconds() == 0.5
        assert world.runtime.snapshot().acknowledgement is not None
        assert world.runtime.desired.value.switches == ("api",)
        assert world.store.read() == (API,)
        assert await world.control.pause_job(None)
        assert seconds() == 0.5


async def test_a_stop_is_stored_after_the_close_of_the_socket_has_begun() -> None:
    world, closing = SupervisedWorld(runtime_state()), list[int]()

    class Store(FakeSwitchStore):
        def write(self, switch: Switch) -> None:
            closing.append(len(world.source.closing))
            super().write(switch)

    store = Store()
    updating = asyncio.create_task(update_desired(LatestValue(job(1)), world.runtime))
    async with world.running():
        await at(1)
        PodSwitches(world.runtime.switches, store).set_and_store(API)
        await settle()
    await cancel_and_wait(updating)
    assert (closing, store.read()) == ([1], (API,))


async def test_a_reason_that_is_too_long_for_the_job_is_cut_and_the_stop_is_carried_out(world: World) -> None:
    async with world.running():
        assert await world.control.pause_job("ü" * (REASON_CHARACTERS + 1))
        assert [each.reason for each in world.store.read()] == ["ü" * (REASON_CHARACTERS - 1) + "…"]


async def test_a_pause_that_is_not_carried_out_in_time_is_not_confirmed(world: World) -> None:
    world.pause_seconds = 100.0
    async with world.running():
        assert not await world.control.pause_job(None)
        assert seconds() == 8
        assert world.runtime.desired.value.switches == ("api",)


async def test_start_ends_this_switch_s_pause(world: World) -> None:
    async with world.running():
        await world.control.pause_job(None)
        assert await world.control.resume_job(StartRequest()) == ()
        assert world.runtime.desired.value.pause is None
        assert world.store.read() == ()


async def test_start_ends_no_other_switch_s_pause_and_names_them(world: World) -> None:
    async with world.running():
        world.live.set(job(2, enabled=False))
        world.runtime.switches.set_switch(Switch(source="env:INGEST_ENABLED", pauses=True))
        await world.control.pause_job(None)
        assert await world.control.resume_job(StartRequest()) == ("spec.enabled", "env:INGEST_ENABLED")


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
        assert world.runtime.desired.value.switches == ("api",)


async def test_start_requests_and_reloads_are_forwarded(world: World) -> None:
    async with world.running():
        await world.control.resume_job(StartRequest(symbols=["SPY"]))
        report = await world.control.reload()
    assert world.declaration.history == ["wish SPY", "reload"]
    assert report.effect == "the stream continues, and all documents are written once"
    assert world.runtime.documents.rewrite_requests == 1


async def test_a_reload_with_a_problem_is_logged_as_a_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.declaration.problem = "the document cannot be read"
    async with world.running():
        assert (await world.control.reload()).problems == ("the document cannot be read",)
    assert world.runtime.documents.rewrite_requests == 1
    assert [each.levelname for each in caplog.records if each.message.startswith("reloaded /enabled (on)")] == [
        "WARNING"
    ]


async def test_a_reload_returns_when_the_stop_in_a_file_is_carried_out(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with world.running():
        world.file.is_on = False
        report = await world.control.reload()
        assert seconds() == 0.5
        assert world.runtime.snapshot().acknowledgement is not None
        assert report.effect == "the job is paused by file:/enabled"
        assert "reloaded /enabled (off), job.yaml (unchanged): the job is paused by file:/enabled" in caplog.messages
        assert world.runtime.documents.rewrite_requests == 0
        assert (await world.control.reload()).effect == "the job stays paused by file:/enabled"
        world.file.is_on = True
        assert (await world.control.reload()).effect.startswith("the job is resumed")
        assert world.runtime.stream.state == "Live"


async def test_a_problem_of_the_document_does_not_keep_a_reload_from_stopping(world: World) -> None:
    world.declaration.problem = "the document cannot be read"
    async with world.running():
        world.file.is_on = False
        assert (await world.control.reload()).effect == "the job is paused by file:/enabled"
        assert world.runtime.stream.state == "Paused"


async def test_two_reloads_at_once_both_return_the_resulting_state(world: World) -> None:
    async with world.running():
        world.file.is_on = False
        first, second = await asyncio.gather(world.control.reload(), world.control.reload())
        assert first.effect == "the job is paused by file:/enabled"
        assert second.effect == "the job stays paused by file:/enabled"
        assert seconds() == 0.5


async def test_a_reload_before_the_job_was_read_returns_at_once(world: World) -> None:
    world.live.set(None)
    async with world.running():
        assert (await world.control.reload()).effect.startswith("the job has not been read yet")
        assert seconds() == 0


async def test_a_reload_that_is_not_applied_says_so(world: World) -> None:
    world.runtime.desired.set(desired())  # and no loop that could apply the file
    world.file.is_on = False
    assert (await world.control.reload()).effect == "not applied within 1 s; check the status"
    assert seconds() == 1


async def test_a_start_returns_when_its_declaration_is_applied(world: World) -> None:
    world.declaration.generation = 2
    async with world.running():
        asyncio.get_running_loop().call_later(0.3, world.live.set, job(2, symbols=["SPY"]))
        assert await world.control.resume_job(StartRequest(symbols=["SPY"])) == ()
        assert (seconds(), list(world.runtime.desired.value.symbols)) == (0.3, ["SPY"])


async def test_a_start_waits_at_most_a_second_for_the_provider(world: World) -> None:
    async with world.running():
        world.runtime.stream.on_state("Connecting")
        assert await world.control.resume_job(StartRequest()) == ()
        assert seconds() == 1


async def test_a_stop_that_a_start_ends_is_not_reported_as_carried_out(world: World) -> None:
    world.pause_seconds = 5.0
    async with world.running():
        stop = asyncio.create_task(world.control.pause_job(None))
        await at(1)
        await world.control.resume_job(StartRequest())
        assert not await stop


async def test_a_stopped_feed_is_not_started_by_a_restart(world: World) -> None:
    world.store.write(API)
    PodSwitches(world.runtime.switches, world.store).restore()
    async with world.running():
        await at(10)
        assert world.runtime.desired.value.switches == ("api",)
        assert await world.control.resume_job(StartRequest()) == ()


async def test_unreadable_switches_are_logged_and_do_not_stop_ingestion(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.failure = OSError("I/O error")
    PodSwitches(world.runtime.switches, world.store).restore()
    assert "PAUSE_CHECK_FAILED" in caplog.text
    assert world.runtime.switches.value == ()


async def test_a_long_reason_that_an_earlier_version_stored_is_cut(world: World) -> None:
    world.store.write(Switch(source="api", pauses=True, reason="r" * 10_000))
    PodSwitches(world.runtime.switches, world.store).restore()
    [switch] = world.runtime.switches.value
    assert switch.reason == "r" * 255 + "…"
