"""A half-open connection to Firestore: its packets disappear without an error, and a new connection works at once."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice_contract.spec import FirestoreSettings
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.factory import create_firestore_sink
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from sluice_runtime.standalone_settings import standalone_settings
from sluice_runtime.state.runtime_state import RuntimeState
from support.deadlines import assert_takes_at_most, within
from support.fake_sink import JOB
from support.firestore import VARIABLE
from support.half_open_relay import HalfOpenRelay
from support.runtime_fakes import FakeJob, FakeSource, desired, job, runtime_state, stored_job
from support.runtime_fakes import quote as tick
from support.sinks import TENANT, heartbeat, quote

WITHIN_SECONDS = 30.0
_projects = itertools.count(1)


@pytest.fixture
async def relay(emulator: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HalfOpenRelay]:
    """Start a relay in front of the emulator; clients created meanwhile connect through it."""
    host, _, port = emulator.rpartition(":")
    relay = HalfOpenRelay(host, int(port))
    async with relay.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        yield relay


@pytest.fixture
async def sink(relay: HalfOpenRelay) -> AsyncIterator[FirestoreSink]:
    """The Firestore sink, after one write."""
    assert relay
    connection = await open_firestore_connection(FirestoreSettings(), f"demo-sluice-half-open-{next(_projects)}", None)
    sink = FirestoreSink(connection, TENANT, "live_quotes", "market_ingest", JOB)
    await sink.write_quotes([quote("AAPL")])
    yield sink
    await sink.close()


async def test_writes_succeed_again_on_a_new_connection(relay: HalfOpenRelay, sink: FirestoreSink) -> None:
    assert relay.silence_open_connections() == 1
    with assert_takes_at_most(WITHIN_SECONDS):
        for _ in range(3):
            with pytest.raises(SinkError, match=r"^Firestore did not accept a write within 2\.5 s$"):
                await sink.write_quotes([quote("AAPL", seq=2)])
        await sink.write_quotes([quote("AAPL", seq=2)])
    assert relay.connections == 2


async def test_errors_of_different_calls_are_counted_together(relay: HalfOpenRelay, sink: FirestoreSink) -> None:
    relay.silence_open_connections()
    calls = (
        sink.write_quotes([quote("AAPL", seq=2)]),
        sink.write_heartbeat(heartbeat("uid", 1)),
        sink.symbols_recorded_as_paused(),
    )
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in results] == [SinkError] * 3
    await sink.write_heartbeat(heartbeat("uid", 1))
    stored = await sink.stored_heartbeat()
    assert stored is not None
    assert (stored.job_uid, stored.epoch) == ("uid", 1)


async def test_a_call_that_is_in_flight_on_the_old_connection_ends_by_its_own_deadline(
    relay: HalfOpenRelay, sink: FirestoreSink
) -> None:
    relay.silence_open_connections()
    first = [asyncio.create_task(sink.write_quotes([quote("AAPL", seq=2)])) for _ in range(3)]
    await asyncio.sleep(1.0)
    late = asyncio.create_task(sink.write_quotes([quote("AAPL", seq=3)]))
    await asyncio.wait(first)
    assert not late.done()
    await sink.write_quotes([quote("AAPL", seq=4)])
    with pytest.raises(SinkError, match=r"within 2\.5 s$"):
        await late
    await asyncio.gather(*first, return_exceptions=True)
    await sink.write_quotes([quote("AAPL", seq=5)])
    assert relay.connections == 2


@pytest.mark.parametrize("seconds_between_ticks", [0.2, 6.0])
async def test_a_whole_runtime_writes_again_on_a_new_connection(
    relay: HalfOpenRelay, tmp_path: Path, seconds_between_ticks: float
) -> None:
    settings = standalone_settings(
        stored_job(firestore={"projectID": f"demo-sluice-half-open-{next(_projects)}"}),
        {"SLUICE_STATE_DIR": str(tmp_path)},
        7,
        uuid.uuid4(),
    )
    runtime, source, stop = runtime_state(with_pause(desired(), UNREAD)), FakeSource(), asyncio.Event()
    sink = create_firestore_sink(settings, runtime.desired, WriteLog())
    parts = RuntimeParts(source=source, sink=sink, job=FakeJob(job(1)), runtime=runtime)
    running = asyncio.create_task(run_loops_and_shut_down(parts, stop, Backoff(1.0, 60.0, lambda _, high: high)))
    talking = asyncio.create_task(_talk(source, seconds_between_ticks))
    try:
        await _until_written(runtime, after=0)
        relay.silence_open_connections()
        await asyncio.sleep(1.0)  # Writes that were acknowledged before have been counted.
        async with within(WITHIN_SECONDS):
            await _until_written(runtime, after=runtime.counters.writes)
        stop.set()
        await running
    finally:
        talking.cancel()
        running.cancel()
        await asyncio.gather(talking, running, return_exceptions=True)
        await sink.close()


async def _talk(source: FakeSource, seconds_between_ticks: float) -> None:
    for bid in itertools.count(1):
        if source.connections:
            source.connection.say(tick("AAPL", bid=float(bid)))
        await asyncio.sleep(seconds_between_ticks)


async def _until_written(runtime: RuntimeState, after: int) -> None:
    while runtime.counters.writes <= after:  # noqa: ASYNC110  counters notify no waiter
        await asyncio.sleep(0.05)
