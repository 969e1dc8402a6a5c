"""A whole runtime while Firestore refuses all requests: a quota that is exhausted, a wrong database, a lost permission.

Also looked for: a quota of reads only, a pause and a stop during the refusal, and the time until everything is written
again.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from google.cloud import firestore

from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.factories import create_sink
from sluice_runtime.loops.journal import Journal
from sluice_runtime.standalone_settings import standalone_settings
from support.firestore import VARIABLE
from support.firestore_proxy import Fault, FirestoreProxy
from support.runtime_fakes import FakeJob, FakeSource, desired, job, journal, stored_job
from support.runtime_fakes import quote as tick

DAILY = (
    "Quota exceeded for quota metric 'Free daily write units per project (free tier database)' and limit 'Free daily "
    "write units per project (free tier database) per day' of service 'firestore.googleapis.com' for consumer "
    "'project_number:1'."
)
EXHAUSTED = Fault("Commit", grpc.StatusCode.RESOURCE_EXHAUSTED, DAILY)
_projects = itertools.count(1)


async def until(is_true: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true, for at most `seconds`."""
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110  the runtime notifies no waiter
            await asyncio.sleep(0.02)


class Runtime:
    """A whole runtime behind a proxy, with a tick of AAPL every 0.2 s."""

    def __init__(self, proxy: FirestoreProxy, client: firestore.AsyncClient) -> None:
        self.proxy = proxy
        self.client = client
        self.book: Journal = journal(with_pause(desired(), UNREAD))
        self.source = FakeSource()
        self.job = FakeJob(job(1))
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, project: str, state: Path) -> AsyncIterator[None]:
        settings = standalone_settings(
            stored_job(firestore={"projectID": project}), {"SLUICE_STATE_DIR": str(state)}, 7
        )
        sink = create_sink(settings, self.book.desired)
        parts = RuntimeParts(source=self.source, sink=sink, job=self.job, journal=self.book)
        self.task = asyncio.create_task(
            run_loops_and_shut_down(parts, self.stop, Backoff(1.0, 60.0, lambda _, high: high))
        )
        talking = asyncio.create_task(self._talk())
        try:
            await self.until_written()
            await asyncio.sleep(0.5)
            yield
        finally:
            self.stop.set()
            talking.cancel()
            await asyncio.gather(talking, self.task, return_exceptions=True)
            await sink.close()

    async def until_written(self) -> None:
        """Wait until one more quote is written."""
        before = self.book.counters.writes
        await until(lambda: self.book.counters.writes > before, 30)

    async def heartbeat_status(self) -> str:
        """Return the status in the stored heartbeat."""
        found = (await self.client.document("tenants/acme/ops/market_ingest").get()).to_dict()
        assert found is not None
        return str(found["status"])

    @property
    def failure(self) -> str:
        """The message of the sink's condition; empty if it is healthy."""
        return self.book.snapshot().sink_failure or ""

    @property
    def is_pause_reported(self) -> bool:
        """Return True if the job's status has the acknowledged pause."""
        pause = self.job.reports[-1][1].pause
        return pause is not None and pause.acknowledged_at is not None

    async def _talk(self) -> None:
        for bid in itertools.count(1):
            if self.source.connections:
                self.source.connection.say(tick("AAPL", bid=float(bid)))
            await asyncio.sleep(0.2)


@pytest.fixture
async def runtime(emulator: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A runtime that has written its first quote."""
    project = f"demo-sluice-quota-{next(_projects)}"
    client = firestore.AsyncClient(project=project)
    proxy = FirestoreProxy(emulator, time.monotonic)
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        found = Runtime(proxy, client)
        async with found.running(project, tmp_path):
            yield found


async def test_an_exhausted_quota_of_writes_costs_few_requests_and_is_named(runtime: Runtime) -> None:
    began = time.monotonic()
    runtime.proxy.faults = [EXHAUSTED]
    await asyncio.sleep(12)
    assert 3 <= runtime.proxy.count("Commit", began) <= 6
    assert runtime.proxy.count("BatchGetDocuments", began) <= 6
    assert runtime.failure.startswith(
        "Firestore refuses writes: the quota 'Free daily write units per project (free tier database)' is exhausted; it"
    )
    assert "UTC (midnight Pacific time)" in runtime.failure
    runtime.proxy.faults = []
    ended = time.monotonic()
    await runtime.until_written()
    assert time.monotonic() - ended < 10  # the interval is 8 s by now
    await until(lambda: runtime.failure == "", 5)
    assert await runtime.heartbeat_status() == "running"
    began = time.monotonic()
    await asyncio.sleep(3)
    assert runtime.proxy.count("Commit", began) >= 2


async def test_an_exhausted_quota_of_reads_does_not_stop_the_writes(runtime: Runtime) -> None:
    began = time.monotonic()
    runtime.proxy.faults = [Fault("BatchGetDocuments", grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded.")]
    runtime.book.signal_transition()  # the heartbeat needs a read
    await asyncio.sleep(6)
    assert runtime.proxy.count("BatchGetDocuments", began) <= 4
    assert runtime.proxy.count("Commit", began) >= 4
    assert runtime.failure.startswith(
        "ops/market_ingest: Firestore refuses reads: a quota is exhausted (Quota exceeded.); a daily quota"
    )


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions.", "roles/datastore.user"),
        (
            grpc.StatusCode.FAILED_PRECONDITION,
            "The Cloud Firestore API is not available for Firestore in Datastore Mode database projects/x",
            "Native mode",
        ),
        (grpc.StatusCode.NOT_FOUND, "The database (default) does not exist for project x", "create the database"),
    ],
    ids=["permission", "Datastore mode", "no database"],
)
async def test_a_refusal_of_everything_costs_few_requests(
    runtime: Runtime, code: grpc.StatusCode, message: str, remedy: str
) -> None:
    began = time.monotonic()
    runtime.proxy.faults = [Fault(method, code, message) for method in ("Commit", "BatchGetDocuments", "RunQuery")]
    await asyncio.sleep(8)
    assert sum(at >= began for at, _ in runtime.proxy.calls) <= 12
    assert message in runtime.failure
    assert remedy in runtime.failure
    runtime.proxy.faults = []
    ended = time.monotonic()
    await runtime.until_written()
    assert time.monotonic() - ended < 10


async def test_a_pause_is_reported_at_once_and_its_heartbeat_when_the_interval_allows(runtime: Runtime) -> None:
    runtime.proxy.faults = [EXHAUSTED]
    await asyncio.sleep(4)
    began = time.monotonic()
    runtime.job.declare(job(2, enabled=False))
    await until(lambda: runtime.is_pause_reported, 5)
    assert time.monotonic() - began < 1
    assert runtime.source.open == 0
    runtime.proxy.faults = []
    await until(lambda: runtime.book.sink_failing_since("heartbeat") is None, 10)
    assert await runtime.heartbeat_status() == "paused"


async def test_a_stop_is_not_delayed_and_its_last_heartbeat_is_tried(runtime: Runtime) -> None:
    runtime.proxy.faults = [EXHAUSTED]
    await asyncio.sleep(4)
    runtime.proxy.faults = []
    began = time.monotonic()
    runtime.stop.set()
    assert runtime.task is not None
    await runtime.task
    assert time.monotonic() - began < 2
    assert await runtime.heartbeat_status() == "stopped"
