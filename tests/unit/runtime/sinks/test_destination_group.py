"""A second destination beside Firestore: the assembled app with fakes, and no other change."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import DocumentConflictError, SinkError, StreamError
from sluice_runtime.domain.market import DocumentOrigin
from sluice_runtime.loop_wiring import create_destination_group
from support.fake_sink import FakeSink
from support.memory_destination import CHECK_SECONDS, OPEN_SECONDS, MemoryDestination
from support.runtime_fakes import FakeJob, FakeSource, bar, desired, job, quote, runtime_state, runtime_view
from support.runtime_worlds import FlushingWorld
from support.virtual_time import START, VirtualTimeLoop, at, seconds

MISBEHAVIORS: dict[str, Callable[[MemoryDestination], None]] = {
    "works": lambda _: None,
    "fails": lambda destination: setattr(destination, "failure", ConnectionError("refused")),
    "hangs": lambda destination: setattr(destination, "hangs", True),
    "raises": lambda destination: setattr(destination, "raises", True),
}


class World:
    """A pod with fakes, and with a second destination unless `has_destination` is False."""

    def __init__(self, *, has_destination: bool = True, rate: float = 100.0, burst: int = 100) -> None:
        self.sink = FakeSink()
        self.source = FakeSource()
        self.job = FakeJob(job(1, channels=["quotes", "bars"]))
        self.runtime = runtime_state(with_pause(desired(), UNREAD))
        self.health = self.runtime.destination_healths.health_of("memory")
        self.destination = MemoryDestination(self.health, rate, burst)
        self.stop = asyncio.Event()
        self._destinations = [self.destination] if has_destination else []

    def start(self) -> asyncio.Task[None]:
        parts = RuntimeParts(
            source=self.source, sink=self.sink, destinations=self._destinations, job=self.job, runtime=self.runtime
        )
        return asyncio.create_task(run_loops_and_shut_down(parts, self.stop, Backoff(1.0, 60.0, lambda _, high: high)))

    def say_bar(self, symbol: str) -> None:
        self.source.connection._listener.on_bars([bar(symbol)])

    async def live_through_a_day(self) -> None:
        """Quotes, a bar, a lost connection, a paused and a removed symbol, a pause of the job, and the end."""
        pod = self.start()
        await at(1)
        self.source.connection.say(quote("AAPL"), quote("MSFT"))
        self.say_bar("AAPL")
        await at(3)
        self.source.connection.lose(StreamError("network", "no route"))
        await at(8)
        self.source.connection.say(quote("AAPL", bid=50.0), quote("TSLA"))
        self.job.declare(job(2, channels=["quotes", "bars"], pausedSymbols=[{"symbol": "MSFT"}]))
        await at(12)
        self.job.declare(job(3, channels=["quotes", "bars"], symbols=["AAPL"]))
        await at(20)
        self.source.connection.say(quote("AAPL", bid=60.0))
        self.job.declare(job(4, enabled=False, symbols=["AAPL"]))
        await at(40)
        self.job.declare(job(5, symbols=["AAPL"]))
        await at(45)
        self.source.connection.say(quote("AAPL", bid=70.0))
        await at(50)
        self.stop.set()
        await pod


async def test_all_kinds_of_data_reach_a_second_destination() -> None:
    world = World()
    await world.live_through_a_day()
    found = world.destination
    assert [(each.symbol, each.bid) for each in found.of_kind("quotes")] == [
        ("AAPL", 100.0),
        ("MSFT", 100.0),
        ("AAPL", 50.0),
        ("AAPL", 60.0),
        ("AAPL", 70.0),
    ]
    assert [each.symbol for each in found.of_kind("bars")] == ["AAPL"]
    assert {(each.canonical_symbol, each.status) for each in found.of_kind("records")} == {
        ("AAPL", "active"),
        ("MSFT", "active"),
        ("MSFT", "paused"),
        ("MSFT", "removed"),
    }
    assert [(each.cause, each.from_) for each in found.of_kind("gaps")] == [
        ("disconnect", START + timedelta(seconds=3)),
        ("pause", START + timedelta(seconds=20)),
    ]
    states = [each.status for each in found.of_kind("heartbeat")]
    assert {"running", "degraded", "paused"} < set(states)
    assert states[-1] == "stopped"
    assert found.is_closed


@pytest.mark.parametrize("misbehavior", MISBEHAVIORS)
def test_a_second_destination_neither_delays_nor_loses_a_write_to_firestore(misbehavior: str) -> None:
    alone, beside = writes_of_a_day(None), writes_of_a_day(misbehavior)
    assert len(alone) == len(beside)
    for found, expected in zip(beside, alone, strict=True):
        assert found == expected


def writes_of_a_day(misbehavior: str | None) -> list[Any]:
    """Return all writes to Firestore with their times, on a loop of their own; None: without a second destination."""

    async def live() -> list[Any]:
        world = World(has_destination=misbehavior is not None)
        if misbehavior is not None:
            MISBEHAVIORS[misbehavior](world.destination)
        await world.live_through_a_day()
        sink = world.sink
        timed = [(round(moment, 6), each) for moment, each in (*sink.writes, *sink.beats, *sink.recorded)]
        return [timed, sink.history, sink.quotes, sink.bars, sink.gaps, sink.records, sink.heartbeat]

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(live())


async def test_a_second_destination_gets_everything_while_firestore_is_away() -> None:
    world = World()
    world.sink.failure = SinkError("away")
    pod = world.start()
    await at(1)
    world.source.connection.say(quote("AAPL"))
    world.say_bar("MSFT")
    await at(2)
    assert world.sink.quotes == {}
    assert {kind for _, kind, _ in world.destination.received} == {"quotes", "bars", "records", "heartbeat"}
    assert all(moment < 1.2 for moment, kind, _ in world.destination.received if kind in ("quotes", "bars"))
    world.stop.set()
    await pod


async def test_each_destination_has_its_own_budget() -> None:
    world = World(rate=2.0, burst=1)
    pod = world.start()
    await at(0.5)
    for tenth in range(200):
        await at(1 + tenth / 10)
        world.source.connection.say(quote("AAPL", bid=tenth + 1.0))
    assert len(world.destination.of_kind("quotes")) < 42
    assert len(world.sink.writes) == pytest.approx(20, abs=1)
    assert max(Counter(int(moment) for moment, _, _ in world.destination.received).values()) <= 3
    world.stop.set()
    await pod


async def test_each_destination_has_its_own_breaker_and_health() -> None:
    world = World()
    world.destination.failure = ConnectionError("refused")
    pod = world.start()
    await at(9)
    attempts = len(world.destination.attempts)
    assert attempts == 3
    report = world.health.report()
    assert (report.failure, report.failing_since) == ("refused", START + timedelta(seconds=CHECK_SECONDS))
    assert world.runtime.snapshot().sink_failure is None
    world.destination.failure = None
    await at(OPEN_SECONDS + 1)
    assert len(world.destination.attempts) > attempts
    report = world.health.report()
    assert (report.failure, report.failing_since) == (None, None)
    assert report.sent["heartbeat"] == len(world.destination.of_kind("heartbeat"))
    world.stop.set()
    await pod


async def test_a_destination_that_ends_with_an_exception_is_run_again() -> None:
    world = World()
    world.destination.raises = True
    pod = world.start()
    await at(0.1)
    assert world.health.report().failure == "RuntimeError"
    world.destination.raises = False
    await at(5)
    world.source.connection.say(quote("AAPL"))
    await at(130)
    assert world.health.report().failure is None
    assert len(world.destination.of_kind("quotes")) == 1
    world.stop.set()
    await pod


async def test_a_pause_takes_effect_after_three_seconds_although_a_destination_hangs() -> None:
    world = World()
    pod = world.start()
    await at(1)
    world.destination.hangs = True
    world.source.connection.say(quote("AAPL"))
    await at(2)
    world.job.declare(job(2, enabled=False))
    await at(5.1)
    assert world.job.reports[-1][1].state == "Paused"
    assert world.health.report().dropped == {"quotes": 1}
    world.destination.hangs = False
    await at(60)
    assert world.destination.of_kind("quotes") == []
    world.stop.set()
    await pod


async def test_a_destination_that_hangs_at_the_end_delays_the_exit_for_a_limited_time() -> None:
    world = World()
    pod = world.start()
    await at(1)
    world.destination.hangs = True
    world.source.connection.say(quote("AAPL"))
    await at(1.05)
    world.stop.set()
    await pod
    assert seconds() < 1.05 + 2 * 3 + 1
    assert set(world.sink.quotes) == {"AAPL"}
    assert world.sink.history[-1] == "beat stopped"


async def test_without_a_destination_the_source_and_the_writes_are_used_as_they_are() -> None:
    world = World()
    view = runtime_view(world.runtime)
    origin = DocumentOrigin(source="fake:iex", job="acme/us", session_id="5e55", epoch=7)
    group = create_destination_group(world.runtime, [], origin, view.snapshot)
    flusher = FlushingWorld().flusher
    assert group.with_published_data(world.source) is world.source
    assert group.with_drain(flusher) is flusher
    assert group.loops() == []


async def test_a_dry_run_publishes_heartbeats_only() -> None:
    world = World()
    world.job = FakeJob(job(1, dryRun=True, channels=["quotes", "bars"]))
    pod = world.start()
    await at(1)
    world.source.connection.say(quote("AAPL"))
    world.say_bar("AAPL")
    await at(5)
    assert {kind for _, kind, _ in world.destination.received} == {"heartbeat"}
    world.stop.set()
    await pod


async def test_while_another_job_owns_the_documents_only_heartbeats_are_published() -> None:
    world = World()
    pod = world.start()
    await at(1)
    world.runtime.ownership.record_conflict(DocumentConflictError("acme/other writes", "acme/other", 600.0))
    world.sink.failure = SinkError("away")  # so that no heartbeat ends the conflict
    await at(2)
    before = len(world.destination.received)
    world.source.connection.say(quote("AAPL"))
    world.say_bar("AAPL")
    world.job.declare(job(2, channels=["quotes", "bars"], symbols=["AAPL"]))
    await at(10)
    assert {kind for _, kind, _ in world.destination.received[before:]} == {"heartbeat"}
    world.sink.failure = None
    world.runtime.ownership.record_heartbeat_accepted()
    await at(15)
    assert "records" in {kind for _, kind, _ in world.destination.received[before:]}
    world.stop.set()
    await pod


async def test_a_fenced_process_publishes_nothing_more() -> None:
    world = World()
    pod = world.start()
    await at(1)
    world.source.connection.say(quote("AAPL"))
    assert world.sink.heartbeat is not None
    world.sink.heartbeat["epoch"] = 8
    world.runtime.transitions.signal()
    await pod
    fenced_at = seconds()
    assert world.destination.is_closed
    assert [moment for moment, _, _ in world.destination.received if moment >= fenced_at] == []
    assert {each.status for each in world.destination.of_kind("heartbeat")} <= {"starting", "running"}
