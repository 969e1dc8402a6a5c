import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import FencedError, SinkError, StreamError
from sluice_runtime.domain.market import Halt
from sluice_runtime.domain.market_hours import UNKNOWN_HOURS, market_hours
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.loops.freshness_monitor import FreshnessObserver
from sluice_runtime.loops.heartbeat import (
    report_status_forever,
    send_heartbeats_forever,
    send_last_heartbeat_and_status,
)
from sluice_runtime.loops.journal import Journal
from sluice_runtime.loops.waiting import cancel_and_wait
from sluice_runtime.ports import ReportError
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, desired, journal, quote
from support.virtual_time import at, now, seconds, settle


@asynccontextmanager
async def running(loop: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        await cancel_and_wait(task)


@pytest.fixture
async def book() -> Journal:
    return journal()


@pytest.fixture
async def sink() -> FakeSink:
    return FakeSink()


def moments(recorded: list[tuple[float, Any]]) -> list[float]:
    return [moment for moment, _ in recorded]


async def test_the_heartbeat_is_written_at_once_and_then_at_its_interval(book: Journal, sink: FakeSink) -> None:
    async with running(send_heartbeats_forever(sink, book)):
        await at(61)
    assert moments(sink.beats) == pytest.approx([0, 15, 30, 45, 60])


async def test_stale_halted_and_failing_symbols_cause_no_additional_write(book: Journal, sink: FakeSink) -> None:
    FreshnessObserver(book, market_hours(UNKNOWN_HOURS))
    async with running(send_heartbeats_forever(sink, book)):
        await at(1)
        book.on_state("Live")
        book.on_acknowledgement(frozenset({"AAPL", "MSFT"}), ())
        await at(5)
        before = len(sink.beats)
        book.on_halts([Halt(symbol="AAPL", ts=now(), halted=True, code="H", reason="news")])
        book.on_trades([])
        await at(14)
        assert len(sink.beats) == before
        await at(61)
    assert len(sink.beats) - before == 4
    assert sink.beats[-1][1].halted == ["AAPL"]


async def test_a_failure_is_kept_in_the_heartbeats_of_a_pause_with_the_same_writes(
    book: Journal, sink: FakeSink
) -> None:
    book.record_stream_failure(StreamError("auth", "check the key"))
    book.on_state("Blocked")
    async with running(send_heartbeats_forever(sink, book)):
        await at(4)
        book.desired.set(with_pause(desired(), PauseInForce(source="cr:acme/us")))
        book.on_state("Paused")
        book.acknowledge_pause()
        await at(20)
    assert moments(sink.beats) == pytest.approx([0, 4, 19])
    for _, beat in sink.beats:
        assert beat.failure is not None
        assert (beat.failure.type, beat.failure.message) == ("auth", "check the key")


async def test_a_slow_sink_does_not_change_the_interval(book: Journal, sink: FakeSink) -> None:
    sink.seconds = 2.0
    async with running(send_heartbeats_forever(sink, book)):
        await at(63)
    assert moments(sink.beats) == pytest.approx([2, 17, 32, 47, 62])


async def test_load_does_not_change_the_interval(book: Journal, sink: FakeSink) -> None:
    book.desired.set(desired(heartbeat={"intervalSeconds": 1}))
    async with running(send_heartbeats_forever(sink, book)):
        while seconds() < 60:
            book.on_ticks([quote("AAPL"), quote("MSFT")])
            await asyncio.sleep(0.01)
    assert 60 <= len(sink.beats) <= 62


async def test_a_transition_is_reported_at_once(book: Journal, sink: FakeSink) -> None:
    async with running(send_heartbeats_forever(sink, book)):
        await at(4)
        book.on_state("Live")
        await settle()
        assert sink.beats[-1][0] == 4
        assert sink.beats[-1][1].status == "running"
        await at(19.5)
        assert moments(sink.beats) == pytest.approx([0, 4, 19])


async def test_a_change_of_the_desired_state_is_reported_at_once(book: Journal, sink: FakeSink) -> None:
    async with running(send_heartbeats_forever(sink, book)):
        await at(4)
        book.desired.set(desired(dryRun=True))
        await settle()
        assert sink.beats[-1][0] == 4
        assert sink.beats[-1][1].dry_run


async def test_many_transitions_cause_few_heartbeats(book: Journal, sink: FakeSink) -> None:
    async with running(send_heartbeats_forever(sink, book)):
        await at(1)
        for _ in range(1000):
            book.signal_transition()
            await asyncio.sleep(0.001)
        await at(3)
        assert len(sink.beats) <= 55
        assert sink.beats[-1][0] <= 2.1


async def test_a_failed_heartbeat_is_soon_retried_and_logged(book: Journal, sink: FakeSink) -> None:
    sink.failure = SinkError("Firestore is away")
    async with running(send_heartbeats_forever(sink, book)):
        await at(9.5)
        assert book.snapshot().sink_failure == "Firestore is away"
        assert 10 <= book.counters.errors["heartbeat"] <= 12
        sink.failure = None
        await at(11)
        assert book.snapshot().sink_failure is None
        assert sink.beats


async def test_a_successful_heartbeat_does_not_hide_failing_quotes(book: Journal, sink: FakeSink) -> None:
    book.record_sink_result("quotes", "denied")
    async with running(send_heartbeats_forever(sink, book)):
        await at(20)
    assert book.snapshot().sink_failure == "denied"


async def test_fencing_ends_the_heartbeat_loop(book: Journal, sink: FakeSink) -> None:
    async with asyncio.timeout(100):
        task = asyncio.create_task(send_heartbeats_forever(sink, book))
        await at(1)
        assert sink.heartbeat is not None
        sink.heartbeat["epoch"] = 8
        with pytest.raises(FencedError):
            await task
    assert seconds() == 15


async def test_another_job_s_fresh_heartbeat_is_kept_and_reported_until_that_job_is_silent(
    book: Journal, sink: FakeSink
) -> None:
    sink.heartbeat = {"job": "acme/fx", "job_uid": "another", "epoch": 99}
    async with running(send_heartbeats_forever(sink, book)):
        await at(44)
        assert sink.heartbeat["epoch"] == 99
        conflict = book.snapshot().document_conflict
        assert conflict is not None
        assert (conflict.type, book.sink_health.failing_since("heartbeat")) == ("documentConflict", None)
        await at(46)
    assert (sink.heartbeat["epoch"], book.snapshot().document_conflict) == (7, None)
    assert moments(sink.beats) == pytest.approx([45, 45], abs=0.3)


async def test_another_job_that_stops_is_noticed_with_the_next_heartbeat(book: Journal, sink: FakeSink) -> None:
    sink.heartbeat = {"job": "acme/fx", "job_uid": "another", "epoch": 99}
    async with running(send_heartbeats_forever(sink, book)):
        await at(1)
        sink.heartbeat["status"] = "stopped"
        await at(16)
    assert moments(sink.beats)[0] == pytest.approx(15, abs=0.1)


async def test_the_status_is_reported_at_once_after_transitions_and_rarely_otherwise(book: Journal) -> None:
    job = FakeJob()
    async with running(report_status_forever(job, book)):
        await at(10)
        book.on_state("Live")
        await at(75)
    assert moments(job.reports) == pytest.approx([0, 10, 40, 70])
    assert job.states == ["Stopped", "Live"]


async def test_the_first_quote_is_reported_at_once(book: Journal) -> None:
    job = FakeJob()
    async with running(report_status_forever(job, book)):
        await at(5)
        book.on_ticks([quote("AAPL")])
        await settle()
        book.on_ticks([quote("AAPL")])
        await at(6)
    assert moments(job.reports) == [0, 5]
    assert job.reports[-1][1].heartbeat.last_symbol == "AAPL"


async def test_a_report_that_failed_is_tried_again_soon(book: Journal) -> None:
    job = FakeJob()
    job.failure = ReportError("the API server is away")
    async with running(report_status_forever(job, book)):
        await at(9.5)
        assert book.counters.errors["report"] == 10
        job.failure = None
        await at(10.5)
    assert moments(job.reports) == pytest.approx([10])


async def test_a_hanging_sink_does_not_delay_the_report(book: Journal, sink: FakeSink) -> None:
    sink.hangs = True
    job = FakeJob()
    book.desired.set(with_pause(desired(), PauseInForce(source="cr:acme/us")))
    async with running(send_heartbeats_forever(sink, book)), running(report_status_forever(job, book)):
        await at(1)
    assert len(job.reports) == 1


async def test_the_final_state_is_sent_to_sink_and_job_even_if_one_fails(book: Journal, sink: FakeSink) -> None:
    job = FakeJob()
    book.stopping = True
    sink.failure = SinkError("away")
    await send_last_heartbeat_and_status(sink, job, book)
    job.failure, sink.failure = ReportError("away"), None
    await send_last_heartbeat_and_status(sink, job, book)
    assert [each.status for _, each in sink.beats] == ["stopped"]
    assert [each.heartbeat.status for _, each in job.reports] == ["stopped"]


async def test_no_final_state_is_reported_to_a_deleted_job(book: Journal, sink: FakeSink) -> None:
    book.stopping = True
    await send_last_heartbeat_and_status(sink, None, book)
    assert [each.status for _, each in sink.beats] == ["stopped"]


async def test_the_first_report_waits_until_the_status_of_the_previous_process_has_been_read() -> None:
    book, job = journal(msgspec.structs.replace(desired(), generation=0)), FakeJob()
    async with running(report_status_forever(job, book)):
        await at(2)
        assert job.reports == []
        book.desired.set(desired())
        await at(2.1)
        assert moments(job.reports)[:1] == [2]


async def test_the_first_report_comes_after_five_seconds_although_the_job_cannot_be_read() -> None:
    book, job = journal(msgspec.structs.replace(desired(), generation=0)), FakeJob()
    async with running(report_status_forever(job, book)):
        await at(6)
    assert moments(job.reports) == [5]
