"""Firestore is unavailable for a minute while the market is busy: a whole pod with fakes."""

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise

import pytest

from sluice_contract.documents import HeartbeatDocument, LiveQuote
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import SinkError
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, FakeSource, desired, job, quote, runtime_state
from support.runtime_worlds import FlushingWorld, SupervisedWorld
from support.virtual_time import at, seconds

NAMES = [f"S{n}" for n in range(20)]


class TornSink(FakeSink):
    """A sink that fails after a delay, like a Firestore that cannot be reached."""

    away = False

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        await self._be_away()
        await super().write_quotes(quotes)

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        await self._be_away()
        await super().write_heartbeat(heartbeat)

    async def _be_away(self) -> None:
        if self.away:
            await asyncio.sleep(2.5)
            raise SinkError("Firestore did not accept a write within 2.5 s")


class World:
    """A pod in a busy market: a hundred ticks a second of 20 symbols."""

    def __init__(self) -> None:
        self.sink = TornSink()
        self.source = FakeSource()
        self.runtime = runtime_state(with_pause(desired(symbols=NAMES), UNREAD))
        self.stop = asyncio.Event()
        self.said: dict[str, float] = {}

    def start(self) -> asyncio.Task[None]:
        parts = RuntimeParts(
            source=self.source, sink=self.sink, job=FakeJob(job(1, symbols=NAMES)), runtime=self.runtime
        )
        return asyncio.create_task(run_loops_and_shut_down(parts, self.stop, Backoff(1.0, 60.0, lambda _, high: high)))

    async def chatter(self, until: float) -> None:
        """Send ticks until the time `until`; the bid of each tick is its time, so no two are equal."""
        while seconds() < until:
            for name in NAMES:
                self.said[name] = seconds()
            self.source.connection.say(*(quote(name, bid=seconds()) for name in NAMES))
            await asyncio.sleep(0.2)


def memory() -> int:
    """Return the bytes in use since tracing began."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.fixture
async def world() -> World:
    return World()


async def test_after_an_outage_the_heartbeat_is_written_first_and_then_the_newest_quotes(world: World) -> None:
    pod = world.start()
    await at(1)
    await world.chatter(20)
    world.sink.away = True
    await world.chatter(80)
    before, writes = len(world.sink.history), len(world.sink.writes)
    world.sink.away = False
    await world.chatter(90)
    assert world.sink.history[before].startswith("beat")
    returned, first = world.sink.writes[writes]
    assert returned < 85
    assert all(each.bid is not None and each.bid > returned - 1 for each in first)
    await at(92)
    assert {name: each["bid"] for name, each in world.sink.quotes.items()} == world.said
    world.stop.set()
    await pod


async def test_an_older_quote_never_replaces_a_newer_one(world: World) -> None:
    pod = world.start()
    await at(1)
    for n in range(1, 5):
        await world.chatter(20.0 * n)
        world.sink.away = n % 2 == 1
    world.stop.set()
    await pod
    for name in NAMES:
        times = [each.ts for _, each in world.sink.written(name)]
        assert times
        assert all(earlier <= later for earlier, later in pairwise(times))


async def test_a_failure_ends_once_the_failed_write_succeeds_even_without_new_quotes() -> None:
    world = FlushingWorld()
    async with world.running():
        world.say("AAPL", "MSFT")
        await at(2)
        world.sink.failure = SinkError("away")
        world.want(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(3)
        assert world.runtime.snapshot().sink_failure == "away"
        world.sink.failure = None
        await at(10)
        assert world.sink.marked == [("AAPL", "paused")]
        assert world.runtime.snapshot().sink_failure is None


async def test_a_failure_ends_once_the_failed_write_is_no_longer_needed() -> None:
    world = FlushingWorld()
    async with world.running():
        await at(1)
        world.sink.failure = SinkError("away")
        world.say("AAPL")
        await at(2)
        assert world.runtime.snapshot().sink_failure == "away"
        world.want(desired(symbols=["MSFT"]))
        world.sink.failure = None
        await at(10)
        assert world.runtime.snapshot().sink_failure is None
        assert world.sink.writes == []


async def test_quotes_dropped_by_a_pause_are_not_a_failure_of_the_pause() -> None:
    world = SupervisedWorld(runtime_state())
    async with world.running():
        await at(1)
        world.runtime.stream.on_ticks([quote("AAPL")])
        world.sink.failure = SinkError("away")
        world.pause()
        await at(2)
        snapshot = world.runtime.snapshot()
        assert snapshot.acknowledgement is not None
        assert snapshot.sink_failure is None
        assert world.sink.writes == []


async def test_memory_is_constant_while_firestore_is_unavailable(world: World) -> None:
    pod = world.start()
    await at(1)
    await world.chatter(5)
    world.sink.away = True
    await world.chatter(30)
    tracemalloc.start()
    await world.chatter(60)
    early = memory()
    await world.chatter(240)
    late = memory()
    tracemalloc.stop()
    assert len(world.runtime.market.coalescer) == len(NAMES)
    assert late - early < 100_000
    world.stop.set()
    await pod
