import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.token_bucket import TokenBucket
from sluice_runtime.loop_wiring import create_document_store, create_gap_writer
from support.fake_sink import FakeSink
from support.runtime_fakes import desired, identity, runtime_state
from support.virtual_time import START, at, now, seconds, settle


class World:
    """A gap writer with the state of a runtime and a fake sink."""

    def __init__(self, session_id: str = "5e55", **spec: Any) -> None:
        self.sink = FakeSink()
        self.runtime = runtime_state(desired(**spec), who=identity(session_id=session_id))
        self.bucket = TokenBucket(1.0, 100, seconds())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(
            create_gap_writer(
                self.runtime, create_document_store(self.runtime, self.sink, "fake:iex"), self.bucket
            ).run()
        )
        await settle()
        try:
            yield
        finally:
            await cancel_and_wait(task)

    async def lose_stream(self, lasts: float = 1.0) -> None:
        """Make the stream live, lose it, and make it live again after some seconds."""
        self.runtime.stream.on_state("Live")
        self.runtime.stream.on_socket_closed()
        self.runtime.stream.on_state("BackingOff")
        await at(seconds() + lasts)
        self.runtime.stream.on_state("Live")


@pytest.fixture
async def world() -> World:
    return World()


async def test_a_gap_is_written_within_a_second_of_its_end(world: World) -> None:
    async with world.running():
        await world.lose_stream()
        await at(2.5)
        [gap] = world.sink.gaps.values()
        assert (gap["from"], gap["to"]) == (START, START + timedelta(seconds=1))
        assert (gap["job"], gap["cause"], gap["symbols"], gap["repaired"]) == ("acme/us", "disconnect", None, False)
        await at(60)
        assert world.sink.history == ["gaps 1"]


async def test_a_pause_of_single_symbols_is_written_with_them(world: World) -> None:
    async with world.running():
        world.runtime.updater.apply_desired(desired())
        world.runtime.stream.on_state("Live")
        await at(1)
        world.runtime.updater.apply_desired(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(5)
        world.runtime.updater.apply_desired(desired())
        world.runtime.stream.on_acknowledgement(frozenset({"AAPL", "MSFT"}), ())
        await at(7)
    [gap] = world.sink.gaps.values()
    assert (gap["symbols"], gap["cause"]) == (["AAPL"], "pause")
    assert gap["to"] - gap["from"] == timedelta(seconds=4)


async def test_gaps_wait_while_firestore_is_away_and_the_failure_is_reported(world: World) -> None:
    world.sink.failure = SinkError("no route to Firestore", 10)
    async with world.running():
        await world.lose_stream()
        await at(3)
        await world.lose_stream()
        await at(15)
        assert world.runtime.snapshot().sink_failure == "no route to Firestore"
        world.sink.failure = None
        await at(30)
        assert world.sink.history == ["gaps 2"]
        assert world.runtime.snapshot().sink_failure is None
        assert world.runtime.counters.errors["ingest_gaps"] >= 1


async def test_a_dry_run_writes_no_gap_until_it_ends() -> None:
    world = World(dryRun=True)
    async with world.running():
        await world.lose_stream()
        await at(5)
        assert world.sink.gaps == {}
        world.runtime.updater.apply_desired(desired())
        await at(7)
        assert len(world.sink.gaps) == 1


async def test_gaps_share_the_budget_of_the_records(world: World) -> None:
    world.bucket.spend_tokens(100)
    world.bucket.set_limits(0.1, 100, seconds())
    async with world.running():
        await world.lose_stream()
        await at(9)
        assert world.sink.gaps == {}
        await at(13)
        assert len(world.sink.gaps) == 1


async def test_a_gap_whose_write_fails_half_way_has_one_document(world: World) -> None:
    async with world.running():
        await world.lose_stream()
        world.sink.hangs = True
        await at(3)
    world.sink.hangs = False
    async with world.running():
        await at(5)
    assert len(world.sink.gaps) == 1


async def test_gaps_that_the_previous_process_did_not_write_are_written_and_the_others_stay(world: World) -> None:
    before = World(session_id="before")
    async with before.running():
        await before.lose_stream()
        await at(3)
    await before.lose_stream()
    world.sink.gaps = before.sink.gaps
    [written] = before.sink.gaps.values()
    world.runtime.gaps.inherit(stream_status(before.runtime.snapshot()))
    async with world.running():
        await at(10)
    assert len(world.sink.gaps) == 2
    assert written in world.sink.gaps.values()  # not replaced, because it may contain what was repaired


async def test_an_unread_job_writes_nothing() -> None:
    world = World()
    world.runtime.desired.set(msgspec.structs.replace(world.runtime.desired.value, generation=0))
    async with world.running():
        await world.lose_stream()
        await at(10)
    assert world.sink.gaps == {}
    assert now() > START


async def test_gaps_that_are_dropped_in_an_outage_are_counted_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.sink.failure = SinkError("no route to Firestore")
    async with world.running():
        for n in range(103):
            world.runtime.gaps.begin_gap(START + timedelta(seconds=n), "disconnect")
            world.runtime.gaps.end_gap(START + timedelta(seconds=n), ())
        await at(10)
    assert world.runtime.counters.errors["ingest_gaps_dropped"] == 3
    assert "too many gaps wait for Firestore; the 3 oldest are not written" in caplog.text


async def test_expired_gaps_of_the_previous_process_are_not_written_again(world: World) -> None:
    before = World(session_id="before")
    await before.lose_stream()
    status = stream_status(before.runtime.snapshot())
    [gap] = status.gaps
    old = msgspec.structs.replace(gap, from_=gap.from_ - timedelta(days=91), to=gap.to - timedelta(days=91))
    world.runtime.gaps.inherit(msgspec.structs.replace(status, gaps=[old, gap]))
    async with world.running():
        await at(10)
    assert [each["from"] for each in world.sink.gaps.values()] == [gap.from_]


async def test_a_gap_waits_while_the_daily_budget_has_only_its_heartbeats_left() -> None:
    world = World(limits={"writesPerDay": 20_000})
    budget = world.runtime.write_budget
    taken = budget.room_for_transitions + 100  # no heartbeat is written here, which sets documents free
    day = budget.record_sent(taken)
    async with world.running():
        await world.lose_stream()
        await at(10)
        assert world.sink.gaps == {}
        budget.record_not_written(taken, day)
        await at(12)
        assert len(world.sink.gaps) == 1
