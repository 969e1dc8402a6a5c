"""All loops together, with fakes, and the order in which a pod starts and shuts down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sluice_contract.status import OpenStreamGap
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import SinkError, StreamError
from sluice_runtime.ports import Listener
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeConnection, FakeJob, FakeSource, desired, job, quote, runtime_state
from support.virtual_time import START, at, seconds, settle


class LoggedSource(FakeSource):
    """A source that adds its sockets' events to the sink's history, so that one list has the order of all events."""

    def __init__(self, sink: FakeSink) -> None:
        super().__init__()
        self._history = sink.history

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[FakeConnection]:
        try:
            async with super().connect(listener) as connection:
                yield connection
        finally:
            self._history.append("socket closed")


class World:
    """A pod with fakes."""

    def __init__(self) -> None:
        self.sink = FakeSink()
        self.source = LoggedSource(self.sink)
        self.job = FakeJob(job(1))
        self.runtime = runtime_state(with_pause(desired(), UNREAD))
        self.stop = asyncio.Event()

    def start(self) -> asyncio.Task[None]:
        parts = RuntimeParts(source=self.source, sink=self.sink, job=self.job, runtime=self.runtime)
        return asyncio.create_task(run_loops_and_shut_down(parts, self.stop, Backoff(1.0, 60.0, lambda _, high: high)))


@pytest.fixture
async def world() -> World:
    return World()


async def test_a_pod_starts_writes_quotes_and_shuts_down_in_order(world: World) -> None:
    world.source.closing_seconds = 0.5
    pod = world.start()
    await at(1)
    world.source.connection.say(quote("AAPL"), quote("MSFT"))
    await at(2)
    assert set(world.sink.quotes) == {"AAPL", "MSFT"}
    world.source.connection.say(quote("AAPL", bid=42.0))
    world.stop.set()
    await pod
    assert seconds() == 2.5
    assert world.source.closings == [2.5]
    assert world.sink.history[-3:] == ["socket closed", "write", "beat stopped"]
    assert world.sink.quotes["AAPL"]["bid"] == 42
    [last] = [status for _, status in world.job.reports[-1:]]
    assert (last.state, last.heartbeat.status) == ("Stopped", "stopped")
    assert last.symbols.confirmed == 0


async def test_the_gap_of_a_pod_that_is_replaced_begins_when_its_socket_closes(world: World) -> None:
    pod = world.start()
    await at(5)
    world.stop.set()
    await pod
    _, last = world.job.reports[-1]
    assert last.open_gap == OpenStreamGap(since=START + timedelta(seconds=5), cause="restart")


async def test_a_gap_that_began_before_the_shutdown_keeps_its_cause(world: World) -> None:
    pod = world.start()
    await at(5)
    world.source.connection.lose(StreamError("stall", "silent"))
    world.source.failures.extend([("Connecting", StreamError("network", "no route"))] * 100)
    await at(20)
    world.stop.set()
    await pod
    _, last = world.job.reports[-1]
    assert last.open_gap == OpenStreamGap(since=START + timedelta(seconds=5), cause="stall")


async def test_each_step_is_in_the_heartbeat_at_once(world: World) -> None:
    world.source.phase_seconds = {"Connecting": 1.0}
    pod = world.start()
    await at(5)
    world.job.declare(job(2, enabled=False))
    await at(6)
    world.job.declare(job(3))
    await at(8)
    world.stop.set()
    await pod
    beats = [(round(moment), beat.status) for moment, beat in world.sink.beats]
    words = [(moment, word) for n, (moment, word) in enumerate(beats) if n == 0 or beats[n - 1][1] != word]
    assert words[0][1] in ("starting", "paused")
    assert words[-5:] == [(1, "running"), (5, "paused"), (6, "starting"), (7, "running"), (8, "stopped")]
    assert world.job.reports[-1][1].observed_generation == 3


async def test_nothing_is_written_between_an_acknowledged_pause_and_its_end(world: World) -> None:
    pod = world.start()
    await at(1)
    world.source.connection.say(quote("AAPL"))
    await at(2)
    world.source.connection.say(quote("AAPL", bid=42.0))
    world.job.declare(job(2, enabled=False))
    await at(2.1)
    status = world.job.reports[-1][1]
    assert (status.state, status.observed_generation) == ("Paused", 2)
    assert status.pause is not None
    assert status.pause.acknowledged_at == status.pause.socket_closed_at == status.pause.last_write_at
    writes = len(world.sink.writes)
    await at(600)
    assert len(world.sink.writes) == writes
    assert {beat.status for moment, beat in world.sink.beats if moment > 2.1} == {"paused"}
    assert len([moment for moment, _ in world.sink.beats if moment > 2.1]) >= 39
    world.stop.set()
    await pod
    assert len(world.sink.writes) == writes
    last = world.job.reports[-1][1]
    assert (last.state, last.heartbeat.status, last.pause) == ("Paused", "stopped", status.pause)


async def test_a_job_created_paused_beats_and_never_connects() -> None:
    world = World()
    world.job = FakeJob(job(1, enabled=False))
    pod = world.start()
    await at(600)
    assert world.source.attempts == []
    assert world.sink.beats[-1][1].status == "paused"
    world.stop.set()
    await pod


async def test_a_pod_that_cannot_read_its_job_does_not_stream_and_says_so() -> None:
    world = World()
    world.job = FakeJob()
    pod = world.start()
    await at(600)
    assert world.source.attempts == []
    beat = world.sink.beats[-1][1]
    assert (beat.ingest_enabled, beat.ingest_enabled_source) == (False, "start")
    world.job.declare(job(1))
    await settle()
    assert world.runtime.stream.state == "Live"
    world.stop.set()
    await pod


async def test_a_deleted_job_shuts_the_pod_down_without_a_report(world: World) -> None:
    pod = world.start()
    await at(1)
    reports = len(world.job.reports)
    world.job.declare(None)
    await pod
    assert world.source.open == 0
    assert world.sink.history[-1] == "beat stopped"
    assert len(world.job.reports) == reports


async def test_a_fenced_pod_closes_its_socket_and_writes_nothing_more(world: World) -> None:
    pod = world.start()
    await at(1)
    world.source.connection.say(quote("AAPL"))
    await at(3)
    world.source.connection.say(quote("AAPL", bid=99.0))
    assert world.sink.heartbeat is not None
    world.sink.heartbeat["epoch"] = 8
    history = len(world.sink.history)
    world.runtime.transitions.signal()
    await pod
    assert world.source.open == 0
    assert world.sink.history[history:] == ["socket closed"]
    assert world.sink.heartbeat["epoch"] == 8


async def test_a_hanging_sink_does_not_prevent_the_shutdown(world: World) -> None:
    pod = world.start()
    await at(1)
    world.sink.hangs = True
    world.source.connection.say(quote("AAPL"))
    world.stop.set()
    await pod
    assert seconds() == pytest.approx(1 + 3 + 4)
    assert world.source.open == 0


async def test_the_stream_continues_in_an_outage_of_the_sink_and_the_newest_quote_is_written_after_it(
    world: World,
) -> None:
    pod = world.start()
    await at(1)
    world.sink.failure = SinkError("Firestore is away")
    for n in range(100):
        world.source.connection.say(quote("AAPL", bid=n + 1.0))
        await asyncio.sleep(1)
    assert world.runtime.stream.state == "Live"
    assert world.job.reports[-1][1].sink.message == "Firestore is away"
    world.sink.failure = None
    await at(seconds() + 31)
    assert [each.bid for _, each in world.sink.written("AAPL")] == [100]
    world.stop.set()
    await pod


async def test_an_unexpected_exception_ends_the_pod_with_its_socket_closed(world: World) -> None:
    pod = world.start()
    await at(1)
    world.source.connection.lose(LookupError("a defect"))  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        await pod
    assert world.source.open == 0


async def test_a_lost_connection_is_reported_and_replaced(world: World) -> None:
    pod = world.start()
    await at(1)
    world.source.connection.lose(StreamError("upstreamClosed", "closed by 1011"))
    await at(1.5)
    status = world.job.reports[-1][1]
    assert (status.state, status.heartbeat.status) == ("BackingOff", "degraded")
    assert status.failure is not None
    assert status.failure.message == "closed by 1011"
    await at(2.5)
    assert world.job.reports[-1][1].state == "Live"
    assert world.job.reports[-1][1].failure is None
    world.stop.set()
    await pod
