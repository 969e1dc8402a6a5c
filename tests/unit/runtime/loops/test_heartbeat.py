import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import FencedError, SinkError, StreamError
from sluice_runtime.domain.health import RuntimeSnapshot
from sluice_runtime.domain.market import Halt
from sluice_runtime.domain.market_hours import UNKNOWN_HOURS, MarketSchedule
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.loop_wiring import create_document_store
from sluice_runtime.loops.heartbeat import (
    report_status_forever,
    send_heartbeats_forever,
    send_last_heartbeat_and_status,
)
from sluice_runtime.ports import ReportError
from sluice_runtime.state.runtime_state import RuntimeState
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, desired, quote, runtime_state, runtime_view
from support.runtime_worlds import SupervisedWorld
from support.virtual_time import at, now, seconds, settle


@asynccontextmanager
async def running(loop: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        await cancel_and_wait(task)


@pytest.fixture
async def runtime() -> RuntimeState:
    return runtime_state()


@pytest.fixture
async def sink() -> FakeSink:
    return FakeSink()


async def send_heartbeats(sink: FakeSink, runtime: RuntimeState, schedule: MarketSchedule | None = None) -> None:
    """Send heartbeats, as the pod does. The freshness of symbols is checked if their market has a schedule."""
    view, store = runtime_view(runtime, schedule), create_document_store(runtime, sink, "fake:iex")
    await send_heartbeats_forever(store, view.snapshot, runtime.desired, runtime.instruments)


async def report_status(job: FakeJob, runtime: RuntimeState) -> None:
    """Report the status, as the pod does."""
    await report_status_forever(job, runtime_view(runtime).snapshot, runtime.desired, runtime.instruments)


def moments(recorded: list[tuple[float, Any]]) -> list[float]:
    return [moment for moment, _ in recorded]


async def test_the_heartbeat_is_written_at_once_and_then_at_its_interval(runtime: RuntimeState, sink: FakeSink) -> None:
    async with running(send_heartbeats(sink, runtime)):
        await at(61)
    assert moments(sink.beats) == pytest.approx([0, 15, 30, 45, 60])


async def test_stale_halted_and_failing_symbols_cause_no_additional_write(
    runtime: RuntimeState, sink: FakeSink
) -> None:
    async with running(send_heartbeats(sink, runtime, UNKNOWN_HOURS)):
        await at(1)
        runtime.stream.on_state("Live")
        runtime.stream.on_acknowledgement(frozenset({"AAPL", "MSFT"}), ())
        await at(5)
        before = len(sink.beats)
        runtime.stream.on_halts([Halt(symbol="AAPL", ts=now(), halted=True, code="H", reason="news")])
        runtime.stream.on_trades([])
        await at(14)
        assert len(sink.beats) == before
        await at(61)
    assert len(sink.beats) - before == 4
    assert sink.beats[-1][1].halted == ["AAPL"]


async def test_a_failure_is_kept_in_the_heartbeats_of_a_pause_with_the_same_writes(
    runtime: RuntimeState, sink: FakeSink
) -> None:
    runtime.stream.record_failure(StreamError("auth", "check the key"))
    runtime.stream.on_state("Blocked")
    async with running(send_heartbeats(sink, runtime)):
        await at(4)
        runtime.desired.set(with_pause(desired(), PauseInForce(source="spec.enabled")))
        runtime.stream.on_state("Paused")
        runtime.stream.acknowledge_pause(runtime.sink_health.last_write_at)
        await at(20)
    assert moments(sink.beats) == pytest.approx([0, 4, 19])
    for _, beat in sink.beats:
        assert beat.failure is not None
        assert (beat.failure.type, beat.failure.message) == ("auth", "check the key")


async def test_a_slow_sink_does_not_change_the_interval(runtime: RuntimeState, sink: FakeSink) -> None:
    sink.seconds = 2.0
    async with running(send_heartbeats(sink, runtime)):
        await at(63)
    assert moments(sink.beats) == pytest.approx([4, 17, 32, 47, 62])  # the first one follows a read


async def test_load_does_not_change_the_interval(runtime: RuntimeState, sink: FakeSink) -> None:
    runtime.desired.set(desired(heartbeat={"intervalSeconds": 1}))
    async with running(send_heartbeats(sink, runtime)):
        while seconds() < 60:
            runtime.stream.on_ticks([quote("AAPL"), quote("MSFT")])
            await asyncio.sleep(0.01)
    assert 60 <= len(sink.beats) <= 62


async def test_a_transition_is_reported_at_once(runtime: RuntimeState, sink: FakeSink) -> None:
    async with running(send_heartbeats(sink, runtime)):
        await at(4)
        runtime.stream.on_state("Live")
        await settle()
        assert sink.beats[-1][0] == 4
        assert sink.beats[-1][1].status == "running"
        await at(19.5)
        assert moments(sink.beats) == pytest.approx([0, 4, 19])


async def test_a_change_of_the_desired_state_is_reported_at_once(runtime: RuntimeState, sink: FakeSink) -> None:
    async with running(send_heartbeats(sink, runtime)):
        await at(4)
        runtime.desired.set(desired(dryRun=True))
        await settle()
        assert sink.beats[-1][0] == 4
        assert sink.beats[-1][1].dry_run


async def test_the_report_of_a_stop_is_built_after_the_close_of_the_socket_has_begun(sink: FakeSink) -> None:
    world = SupervisedWorld(runtime_state())
    runtime, closing = world.runtime, list[int]()
    view, store = runtime_view(runtime), create_document_store(runtime, sink, "fake:iex")

    def snapshot() -> RuntimeSnapshot:
        closing.append(len(world.source.closing))
        return view.snapshot()

    reports = report_status_forever(FakeJob(), snapshot, runtime.desired, runtime.instruments)
    heartbeats = send_heartbeats_forever(store, snapshot, runtime.desired, runtime.instruments)
    async with running(reports), running(heartbeats), world.running():
        await at(10)
        assert world.source.open == 1
        closing.clear()
        world.pause()
        await at(11)
        assert world.source.closings == [10]
        assert set(closing) == {1}


async def test_many_transitions_cause_few_heartbeats(runtime: RuntimeState, sink: FakeSink) -> None:
    async with running(send_heartbeats(sink, runtime)):
        await at(1)
        for _ in range(1000):
            runtime.transitions.signal()
            await asyncio.sleep(0.001)
        await at(3)
        assert len(sink.beats) <= 55
        assert sink.beats[-1][0] <= 2.1


async def test_a_failed_heartbeat_is_soon_retried_and_logged(runtime: RuntimeState, sink: FakeSink) -> None:
    sink.failure = SinkError("Firestore is away")
    async with running(send_heartbeats(sink, runtime)):
        await at(9.5)
        assert runtime.snapshot().sink_failure == "Firestore is away"
        assert 10 <= runtime.counters.errors["heartbeat"] <= 12
        sink.failure = None
        await at(11)
        assert runtime.snapshot().sink_failure is None
        assert sink.beats


async def test_a_successful_heartbeat_does_not_hide_failing_quotes(runtime: RuntimeState, sink: FakeSink) -> None:
    runtime.sink_health.record_result("quotes", "denied")
    async with running(send_heartbeats(sink, runtime)):
        await at(20)
    assert runtime.snapshot().sink_failure == "denied"


async def test_fencing_ends_the_heartbeat_loop(runtime: RuntimeState, sink: FakeSink) -> None:
    async with asyncio.timeout(100):
        task = asyncio.create_task(send_heartbeats(sink, runtime))
        await at(1)
        assert sink.heartbeat is not None
        sink.heartbeat["epoch"] = 8
        with pytest.raises(FencedError):
            await task
    assert seconds() == 15


async def test_another_job_s_fresh_heartbeat_is_kept_and_reported_until_that_job_is_silent(
    runtime: RuntimeState, sink: FakeSink
) -> None:
    sink.heartbeat = {"job": "acme/fx", "job_uid": "another", "epoch": 99}
    async with running(send_heartbeats(sink, runtime)):
        await at(44)
        assert sink.heartbeat["epoch"] == 99
        conflict = runtime.snapshot().document_conflict
        assert conflict is not None
        assert (conflict.type, runtime.sink_health.failing_since("heartbeat")) == ("documentConflict", None)
        await at(46)
    assert (sink.heartbeat["epoch"], runtime.snapshot().document_conflict) == (7, None)
    assert moments(sink.beats) == pytest.approx([45, 45], abs=0.3)


async def test_another_job_that_stops_is_noticed_with_the_next_heartbeat(runtime: RuntimeState, sink: FakeSink) -> None:
    sink.heartbeat = {"job": "acme/fx", "job_uid": "another", "epoch": 99}
    async with running(send_heartbeats(sink, runtime)):
        await at(1)
        sink.heartbeat["status"] = "stopped"
        await at(16)
    assert moments(sink.beats)[0] == pytest.approx(15, abs=0.1)


async def test_the_status_is_reported_at_once_after_transitions_and_rarely_otherwise(runtime: RuntimeState) -> None:
    job = FakeJob()
    async with running(report_status(job, runtime)):
        await at(10)
        runtime.stream.on_state("Live")
        await at(75)
    assert moments(job.reports) == pytest.approx([0, 10, 40, 70])
    assert job.states == ["Stopped", "Live"]


async def test_the_first_quote_is_reported_at_once(runtime: RuntimeState) -> None:
    job = FakeJob()
    async with running(report_status(job, runtime)):
        await at(5)
        runtime.stream.on_ticks([quote("AAPL")])
        await settle()
        runtime.stream.on_ticks([quote("AAPL")])
        await at(6)
    assert moments(job.reports) == [0, 5]
    assert job.reports[-1][1].heartbeat.last_symbol == "AAPL"


async def test_a_report_that_failed_is_tried_again_soon(runtime: RuntimeState) -> None:
    job = FakeJob()
    job.failure = ReportError("the API server is away")
    async with running(report_status(job, runtime)):
        await at(9.5)
        assert runtime.counters.errors["report"] == 10
        job.failure = None
        await at(10.5)
    assert moments(job.reports) == pytest.approx([10])


async def test_a_hanging_sink_does_not_delay_the_report(runtime: RuntimeState, sink: FakeSink) -> None:
    sink.hangs = True
    job = FakeJob()
    runtime.desired.set(with_pause(desired(), PauseInForce(source="spec.enabled")))
    async with running(send_heartbeats(sink, runtime)), running(report_status(job, runtime)):
        await at(1)
    assert len(job.reports) == 1


async def test_the_final_state_is_sent_to_sink_and_job_even_if_one_fails(runtime: RuntimeState, sink: FakeSink) -> None:
    job = FakeJob()
    runtime.process.record_stop()
    sink.failure = SinkError("away")
    await send_last_heartbeat_and_status(sink, job, runtime.snapshot())
    job.failure, sink.failure = ReportError("away"), None
    await send_last_heartbeat_and_status(sink, job, runtime.snapshot())
    assert [each.status for _, each in sink.beats] == ["stopped"]
    assert [each.heartbeat.status for _, each in job.reports] == ["stopped"]


async def test_no_final_state_is_reported_to_a_deleted_job(runtime: RuntimeState, sink: FakeSink) -> None:
    runtime.process.record_stop()
    await send_last_heartbeat_and_status(sink, None, runtime.snapshot())
    assert [each.status for _, each in sink.beats] == ["stopped"]


async def test_the_first_report_waits_until_the_status_of_the_previous_process_has_been_read() -> None:
    runtime, job = runtime_state(msgspec.structs.replace(desired(), generation=0)), FakeJob()
    async with running(report_status(job, runtime)):
        await at(2)
        assert job.reports == []
        runtime.desired.set(desired())
        await at(2.1)
        assert moments(job.reports)[:1] == [2]


async def test_the_first_report_comes_after_five_seconds_although_the_job_cannot_be_read() -> None:
    runtime, job = runtime_state(msgspec.structs.replace(desired(), generation=0)), FakeJob()
    async with running(report_status(job, runtime)):
        await at(6)
    assert moments(job.reports) == [5]
