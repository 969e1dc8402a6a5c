"""A whole runtime while Firestore refuses all requests: a quota that is exhausted, a wrong database, a lost permission.

Also looked for: a quota of reads only, a pause and a stop during the refusal, and the time until everything is written
again.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.cloud import firestore

from support.deadlines import assert_takes_at_most
from support.firestore import VARIABLE
from support.firestore_proxy import Fault, FirestoreProxy
from support.firestore_runtime import Runtime, until
from support.runtime_fakes import job

DAILY = (
    "Quota exceeded for quota metric 'Free daily write units per project (free tier database)' and limit 'Free daily "
    "write units per project (free tier database) per day' of service 'firestore.googleapis.com' for consumer "
    "'project_number:1'."
)
EXHAUSTED = Fault("Commit", grpc.StatusCode.RESOURCE_EXHAUSTED, DAILY)
_projects = itertools.count(1)


@pytest.fixture
async def runtime(emulator: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A runtime that has written its first quote."""
    project = f"demo-sluice-quota-{next(_projects)}"
    client = firestore.AsyncClient(project=project)
    proxy = FirestoreProxy(emulator, time.monotonic)
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        found = Runtime(proxy, client, ["AAPL"])
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
    with assert_takes_at_most(15):  # the interval is 8 s by now
        await runtime.until_written()
    await until(lambda: runtime.failure == "", 5)
    await runtime.until_heartbeat_has("running")
    began = time.monotonic()
    await asyncio.sleep(3)
    assert runtime.proxy.count("Commit", began) >= 2


async def test_an_exhausted_quota_of_reads_does_not_stop_the_writes(runtime: Runtime) -> None:
    began = time.monotonic()
    runtime.proxy.faults = [Fault("BatchGetDocuments", grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded.")]
    runtime.runtime.transitions.signal()  # the heartbeat needs a read
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
    with assert_takes_at_most(15):
        await runtime.until_written()


async def test_a_pause_is_reported_at_once_and_its_heartbeat_when_the_interval_allows(runtime: Runtime) -> None:
    runtime.proxy.faults = [EXHAUSTED]
    await asyncio.sleep(4)
    with assert_takes_at_most(1):
        runtime.job.declare(job(2, enabled=False))
        await until(lambda: runtime.is_pause_reported, 5)
    assert runtime.source.open == 0
    runtime.proxy.faults = []
    await runtime.until_heartbeat_has("paused")


async def test_a_stop_is_not_delayed_and_its_last_heartbeat_is_tried(runtime: Runtime) -> None:
    runtime.proxy.faults = [EXHAUSTED]
    await asyncio.sleep(4)
    runtime.proxy.faults = []
    assert runtime.task is not None
    with assert_takes_at_most(2):
        runtime.stop.set()
        await runtime.task
    assert await runtime.heartbeat_status() == "stopped"
