"""The heartbeat document has one writer: one suite for the Firestore sink on the emulator and its fake.

Looked for, too: documents of other versions and of older services, whose fields are missing or have another type;
clocks that differ (the age of a heartbeat is by the clock of the store alone); a job that is deleted and created again;
several jobs that start at the same moment.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from sluice_runtime.domain.failure import DocumentConflictError, FencedError
from sluice_runtime.ports import Sink
from support.sinks import NOW, Documents, heartbeat

# Google's client must stay on the event loop that created it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROJECT = "demo-sluice-heartbeat"


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _no_heartbeat(documents: Documents) -> None:
    await documents.delete_heartbeat()


async def owner(documents: Documents) -> Any:
    found = await documents.heartbeat()
    assert found is not None
    return found["job_uid"]


async def test_a_fresh_heartbeat_of_another_job_is_not_replaced(sink: Sink, documents: Documents) -> None:
    await sink.write_heartbeat(heartbeat("first", 1, job="blue/us", cluster="east"))
    with pytest.raises(DocumentConflictError) as caught:
        await sink.write_heartbeat(heartbeat("second", 99, job="green/us", cluster="west"))
    assert caught.value.writer == "job blue/us (uid first, cluster east)"
    assert f"another job writes this job's documents: {caught.value.writer} wrote the heartbeat 0 s ago" in str(
        caught.value
    )
    assert 40 < caught.value.retry_after <= 45
    assert await owner(documents) == "first"


async def test_a_job_that_is_silent_for_three_intervals_is_replaced(sink: Sink, documents: Documents) -> None:
    await sink.write_heartbeat(heartbeat("first", 99, heartbeat_interval_ms=200))
    with pytest.raises(DocumentConflictError):
        await sink.write_heartbeat(heartbeat("second", 1))
    await asyncio.sleep(0.7)
    await sink.write_heartbeat(heartbeat("second", 1))
    assert await owner(documents) == "second"
    with pytest.raises(DocumentConflictError):  # it is back, and now the later one
        await sink.write_heartbeat(heartbeat("first", 99, heartbeat_interval_ms=200))


async def test_a_job_that_has_stopped_is_replaced_at_once(sink: Sink, documents: Documents) -> None:
    await sink.write_heartbeat(heartbeat("first", 99, "stopped"))
    await sink.write_heartbeat(heartbeat("second", 1))
    assert await owner(documents) == "second"


@pytest.mark.parametrize("status", ["paused", "finished", "blocked", "degraded", "starting"])
async def test_a_job_in_any_other_state_keeps_its_documents(sink: Sink, documents: Documents, status: str) -> None:
    await sink.write_heartbeat(heartbeat("first", 1, status))
    with pytest.raises(DocumentConflictError):
        await sink.write_heartbeat(heartbeat("second", 99))
    assert await owner(documents) == "first"


async def test_a_paused_job_does_not_take_over_from_a_job_that_may_be_restarting(
    sink: Sink, documents: Documents
) -> None:
    await sink.write_heartbeat(heartbeat("first", 1, "stopped"))
    with pytest.raises(DocumentConflictError) as caught:
        await sink.write_heartbeat(heartbeat("second", 99, "paused"))
    assert 590 < caught.value.retry_after <= 600
    await sink.write_heartbeat(heartbeat("first", 2))
    assert await owner(documents) == "first"


async def test_a_job_that_was_created_again_in_its_cluster_replaces_its_predecessor(
    sink: Sink, documents: Documents
) -> None:
    await sink.write_heartbeat(heartbeat("first", 99, cluster="east"))
    await sink.write_heartbeat(heartbeat("again", 1, "paused", cluster="east"))
    assert await owner(documents) == "again"
    with pytest.raises(DocumentConflictError):
        await sink.write_heartbeat(heartbeat("abroad", 1, cluster="west"))


async def test_standalone_jobs_of_one_name_are_different_jobs(sink: Sink, documents: Documents) -> None:
    await sink.write_heartbeat(heartbeat("first", 1))
    with pytest.raises(DocumentConflictError) as caught:
        await sink.write_heartbeat(heartbeat("second", 2))
    assert caught.value.writer == "job acme/us (uid first, outside a cluster)"
    assert await owner(documents) == "first"


async def test_a_later_process_of_the_same_job_fences_an_earlier_one_in_another_cluster(sink: Sink) -> None:
    await sink.write_heartbeat(heartbeat("one", 2, cluster="east"))
    with pytest.raises(FencedError):
        await sink.write_heartbeat(heartbeat("one", 1, cluster="west"))


@pytest.mark.parametrize(
    ("fields", "writer"),
    [
        ({"status": "running", "ts": NOW}, "a writer that names no job"),
        ({"job": "acme/old", "job_uid": "0b0b", "epoch": 3}, "job acme/old (uid 0b0b, outside a cluster)"),
        ({"job": ["x"], "job_uid": 7, "cluster": 1, "epoch": "x", "status": None}, "a writer that names no job"),
        ({"job_uid": "0b0b", "heartbeat_interval_ms": "x"}, "job without a name (uid 0b0b, outside a cluster)"),
        ({"job_uid": "0b0b", "heartbeat_interval_ms": -1}, "job without a name (uid 0b0b, outside a cluster)"),
    ],
)
async def test_the_heartbeat_of_an_older_service_is_respected(
    sink: Sink, documents: Documents, fields: dict[str, Any], writer: str
) -> None:
    await documents.put_heartbeat(fields)
    with pytest.raises(DocumentConflictError) as caught:
        await sink.write_heartbeat(heartbeat("new", 1, heartbeat_interval_ms=500))
    assert caught.value.writer == writer
    assert 0 < caught.value.retry_after <= 1.5
    assert await documents.heartbeat() == fields


async def test_an_interval_that_no_job_can_declare_does_not_block_a_document(sink: Sink, documents: Documents) -> None:
    await documents.put_heartbeat({"job_uid": "odd", "heartbeat_interval_ms": 10**12})
    with pytest.raises(DocumentConflictError) as caught:
        await sink.write_heartbeat(heartbeat("new", 1))
    assert caught.value.retry_after <= 90


async def test_the_writer_s_clock_does_not_matter(sink: Sink, documents: Documents) -> None:
    await sink.write_heartbeat(heartbeat("first", 1, ts=NOW - timedelta(days=1000)))
    with pytest.raises(DocumentConflictError):
        await sink.write_heartbeat(heartbeat("second", 1, ts=NOW + timedelta(days=1000)))
    assert await owner(documents) == "first"


async def test_of_nine_jobs_that_start_together_exactly_one_writes(sink: Sink, documents: Documents) -> None:
    writes = (sink.write_heartbeat(heartbeat(f"job-{n}", n)) for n in range(9))
    found = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(each) for each in found if each is not None] == [DocumentConflictError] * 8
    assert await owner(documents) == f"job-{found.index(None)}"
