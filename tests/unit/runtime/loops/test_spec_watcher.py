import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.desired import DELETED, UNREAD, with_pause
from sluice_runtime.domain.gaps import OpenGap
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import PauseInForce, Switch
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import FakeJob, desired, identity, job, runtime_state
from support.runtime_worlds import update_desired, watch_job
from support.virtual_time import START, at, now, settle


class World:
    """A spec watcher with a fake API server."""

    def __init__(self) -> None:
        self.port = FakeJob()
        self.runtime: RuntimeState = runtime_state(with_pause(desired(), UNREAD))
        self.live: LatestValue[DeclaredJob | None] = LatestValue(None)
        self.watching: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.watching = asyncio.create_task(watch_job(self.port, self.live, self.runtime))
        steering = asyncio.create_task(update_desired(self.live, self.runtime))
        try:
            yield
        finally:
            await cancel_and_wait(self.watching, steering)

    async def declare(self, *jobs: DeclaredJob | None) -> None:
        for each in jobs:
            self.port.declare(each)
            await settle()


@pytest.fixture
async def world() -> World:
    return World()


def until(after: float) -> str:
    return (START + timedelta(seconds=after)).isoformat()


def switches(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.action for record in caplog.records if getattr(record, "event_type", "") == "ingest_switch"]  # type: ignore[attr-defined]


async def test_nothing_streams_before_the_job_was_read(world: World) -> None:
    async with world.running():
        await at(600)
        assert world.runtime.desired.value.pause == UNREAD


async def test_the_desired_state_follows_the_job(world: World) -> None:
    async with world.running():
        await world.declare(job(1))
        assert world.runtime.desired.value.pause is None
        await world.declare(job(2, symbols=["SPY"], dryRun=True))
        found = world.runtime.desired.value
        assert (found.generation, found.symbols, found.dry_run) == (2, frozenset({"SPY"}), True)


async def test_a_pause_ends_by_itself_at_its_time(world: World) -> None:
    async with world.running():
        await world.declare(job(pause={"reason": "vendor", "until": until(3600)}))
        await at(3599.9)
        assert world.runtime.desired.value.pause is not None
        await at(3600)
        assert world.runtime.desired.value.pause is None


async def test_a_pause_is_in_force_again_after_the_clock_was_set_back() -> None:
    error = timedelta(hours=2)
    runtime = runtime_state(with_pause(desired(), UNREAD), lambda: now() + error)
    live: LatestValue[DeclaredJob | None] = LatestValue(job(pause={"reason": "vendor", "until": until(3600)}))
    updating = asyncio.create_task(update_desired(live, runtime))
    await at(5)
    assert runtime.desired.value.pause is None
    error = timedelta()
    await at(16)
    assert runtime.desired.value.pause is not None
    await cancel_and_wait(updating)


async def test_a_symbol_s_pause_ends_by_itself_and_the_coalescer_wants_it_again(world: World) -> None:
    async with world.running():
        await world.declare(
            job(
                pausedSymbols=[{"symbol": "AAPL", "until": until(100)}, {"symbol": "MSFT", "until": until(50)}],
            )
        )
        seen = []
        for moment in (1, 50, 100):
            await at(moment)
            seen.append(sorted(world.runtime.desired.value.symbols))
        assert seen == [[], ["MSFT"], ["AAPL", "MSFT"]]
        world.runtime.market.coalescer.queue_newest_ticks([], START)
        assert world.runtime.counters.paused_by_flag == 2


async def test_a_pause_with_a_distant_end_does_not_delay_other_changes(world: World) -> None:
    async with world.running():
        await world.declare(job(pause={"until": until(10_000_000)}))
        await at(10)
        await world.declare(job(2))
        assert world.runtime.desired.value.pause is None


async def test_each_transition_of_the_switch_is_logged_exactly_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with world.running():
        await world.declare(job(1), job(2, symbols=["SPY"]), job(3, enabled=False))
        await world.declare(job(4, enabled=False, pause={"reason": "x"}), job(5, pause={"until": until(60)}))
        await at(61)
        await world.declare(job(6), job(7, enabled=False), None)
    assert switches(caplog) == ["resumed", "halted", "resumed", "halted"]


async def test_a_job_read_paused_is_logged_as_halted_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with world.running():
        await world.declare(job(1, enabled=False), job(2, enabled=False, symbols=["SPY"]))
    assert switches(caplog) == ["halted"]
    [halt] = [record for record in caplog.records if getattr(record, "event_type", "") == "ingest_switch"]
    assert halt.source == "spec.enabled"  # type: ignore[attr-defined]


async def test_a_deleted_job_pauses_and_ends_the_watch(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with world.running():
        await world.declare(job(1), None)
        assert world.watching is not None
        assert world.watching.done()
        assert world.runtime.desired.value.pause == DELETED
        assert world.live.value is None
        await at(100)
        assert world.runtime.desired.value.pause == DELETED
    assert switches(caplog) == ["resumed", "halted"]


async def test_a_paused_symbol_is_logged_and_counted_once_and_so_is_its_return(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    paused = [{"symbol": "AAPL", "reason": "bad prints"}]
    async with world.running():
        await world.declare(job(1, pausedSymbols=paused), job(2, pausedSymbols=paused, dryRun=True), job(3))
    assert [each for each in caplog.messages if "AAPL" in each] == [
        "[PAUSED] Asset AAPL (quotes) has pause_fetch=true, skipping API fetch",
        "[RESUMED] Asset AAPL (quotes)",
    ]
    lines = [vars(record) for record in caplog.records if vars(record).get("event_type") == "symbol_pause"]
    assert [(line["action"], line["symbol"]) for line in lines] == [("paused", "AAPL"), ("resumed", "AAPL")]
    assert lines[0]["reason"] == "bad prints"
    assert world.runtime.counters.paused_by_flag == 1


async def test_a_paused_symbol_is_logged_with_all_channels_of_the_job(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with world.running():
        await world.declare(job(1, pausedSymbols=[{"symbol": "AAPL"}], channels=["bars", "quotes", "trades"]))
    assert "[PAUSED] Asset AAPL (quotes, trades, bars) has pause_fetch=true, skipping API fetch" in caplog.messages


async def test_paused_symbols_that_are_not_declared_are_warned_of_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    stray = [{"symbol": "TSLA"}]
    async with world.running():
        await world.declare(job(1, pausedSymbols=stray), job(2, pausedSymbols=stray, dryRun=True))
    assert [record.levelname for record in caplog.records if "TSLA" in record.getMessage()] == ["WARNING"]


async def test_any_other_switch_also_pauses_and_all_pausing_sources_are_known(world: World) -> None:
    async with world.running():
        await world.declare(job(1, enabled=False))
        world.runtime.switches.set_switch(Switch(source="api", pauses=True, reason="bad prints"))
        await settle()
        found = world.runtime.desired.value
        assert found.switches == ("spec.enabled", "api")
        await world.declare(job(2))
        assert world.runtime.desired.value.pause == PauseInForce(source="api", reason="bad prints")
        world.runtime.switches.set_switch(Switch(source="api", pauses=False))
        await settle()
        assert world.runtime.desired.value.pause is None


async def test_a_pause_that_passes_from_switch_to_switch_is_one_pause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with world.running():
        await world.declare(job(1))
        for source, pauses in (("api", True), ("file:f", True), ("api", False), ("file:f", False)):
            world.runtime.switches.set_switch(Switch(source=source, pauses=pauses))
            await settle()
    assert switches(caplog) == ["resumed", "halted", "resumed"]


async def test_no_switch_starts_a_job_that_has_not_been_read(world: World) -> None:
    async with world.running():
        world.runtime.switches.set_switch(Switch(source="api", pauses=True))
        await settle()
        world.runtime.switches.set_switch(Switch(source="api", pauses=False))
        await settle()
        assert world.runtime.desired.value.pause == UNREAD


async def test_the_gaps_of_the_previous_process_are_taken_over_once() -> None:
    before, runtime = runtime_state(who=identity(session_id="before")), runtime_state()
    before.stream.on_state("Live")
    left = msgspec.structs.replace(job(1), earlier_stream=stream_status(before.snapshot()))
    port, cell = FakeJob(left), LatestValue[DeclaredJob | None](None)
    task = asyncio.create_task(watch_job(port, cell, runtime))
    await at(60)
    runtime.stream.on_state("Live")
    port.declare(left)
    await at(61)
    assert [gap.cause for gap in runtime.gaps.closed_gaps] == ["restart"]
    await cancel_and_wait(task)


async def test_a_process_that_read_a_cached_job_first_takes_over_the_gaps_before_it_is_live() -> None:
    before, runtime = runtime_state(who=identity(session_id="before")), runtime_state()
    before.stream.on_state("Live")
    left = msgspec.structs.replace(job(2), earlier_stream=stream_status(before.snapshot()))
    port, cell = FakeJob(job(1), left), LatestValue[DeclaredJob | None](None)
    task = asyncio.create_task(watch_job(port, cell, runtime))
    await at(60)
    assert runtime.gaps.open_gap == OpenGap(START, "restart")
    await cancel_and_wait(task)


async def test_a_process_that_is_already_live_keeps_its_own_gaps() -> None:
    before, runtime = runtime_state(who=identity(session_id="before")), runtime_state()
    before.stream.on_state("Live")
    left = msgspec.structs.replace(job(2), earlier_stream=stream_status(before.snapshot()))
    port, cell = FakeJob(job(1)), LatestValue[DeclaredJob | None](None)
    task = asyncio.create_task(watch_job(port, cell, runtime))
    await at(1)
    runtime.stream.on_state("Live")
    port.declare(left)
    await at(60)
    assert runtime.gaps.open_gap is None
    await cancel_and_wait(task)


async def test_a_pause_is_in_force_within_the_change_and_its_end_a_little_later(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with world.running():
        await world.declare(job(1))
        world.runtime.switches.set_switch(Switch(source="api", pauses=True))
        assert world.runtime.desired.value.switches == ("api",)
        assert switches(caplog) == ["resumed"]  # the log line does not delay the stop
        await settle()
        assert switches(caplog) == ["resumed", "halted"]
        world.runtime.switches.set_switch(Switch(source="api", pauses=False))
        assert world.runtime.desired.value.pause is not None
        await settle()
        assert world.runtime.desired.value.pause is None
