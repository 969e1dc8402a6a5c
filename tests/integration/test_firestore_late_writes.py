"""A write that was abandoned and arrives late, twice or out of order never replaces a newer one.

Also looked for: a late write of a status, a bar, a record and a heartbeat, a late first write of a document, a write
that is delivered twice, and another writer in between.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator

import grpc
import pytest
from google.cloud import firestore

from sluice_contract.spec import FirestoreSettings
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from support.deadlines import within
from support.fake_sink import JOB
from support.firestore import VARIABLE
from support.firestore_proxy import Fault, FirestoreProxy
from support.sinks import NOW, TENANT, Documents, bar, heartbeat, quote, state

LATE_SECONDS = 5.0
_projects = itertools.count(1)


@pytest.fixture
async def proxy(emulator: str) -> FirestoreProxy:
    """A proxy in front of the emulator."""
    return FirestoreProxy(emulator, time.monotonic)


@pytest.fixture
async def opened(
    emulator: str, proxy: FirestoreProxy, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[FirestoreSink, Documents]]:
    """A sink behind the proxy, and its documents, read without the proxy."""
    project = f"demo-sluice-late-{next(_projects)}"
    monkeypatch.setenv(VARIABLE, emulator)
    direct = firestore.AsyncClient(project=project)
    await direct.document("warm/up").set({})  # the first write of a new emulator takes seconds
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        sink = FirestoreSink(
            await open_firestore_connection(FirestoreSettings(), project, None),
            TENANT,
            "live_quotes",
            "market_ingest",
            JOB,
        )
        yield sink, Documents(sink, direct)
        await sink.close()


async def abandon(proxy: FirestoreProxy, write: object) -> None:
    """Make a write that is delivered 5 s late, and wait until the sink has given it up."""
    proxy.faults = [Fault("Commit", late_seconds=LATE_SECONDS, times=1)]
    with pytest.raises(SinkError, match=r"within 2\.5 s$"):
        await write  # type: ignore[misc]


async def all_delivered(proxy: FirestoreProxy, count: int) -> None:
    async with within(10):
        while len(proxy.outcomes) < count:  # noqa: ASYNC110  the proxy notifies no waiter
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("exists", [True, False])
async def test_a_late_quote_does_not_replace_a_newer_one(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy, exists: bool
) -> None:
    sink, documents = opened
    if exists:
        await sink.write_quotes([quote("AAPL", seq=1), quote("MSFT", seq=2)])
    await abandon(proxy, sink.write_quotes([quote("AAPL", seq=3), quote("MSFT", seq=4)]))
    await sink.write_quotes([quote("AAPL", seq=5)])
    await all_delivered(proxy, 3 if exists else 2)
    found = await documents.quote("AAPL")
    assert found is not None
    assert found["seq"] == 5
    assert proxy.outcomes[-1] in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS)


async def test_a_late_quote_that_arrives_first_is_replaced_by_the_newer_one(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy
) -> None:
    sink, documents = opened
    await sink.write_quotes([quote("AAPL", seq=1)])
    await abandon(proxy, sink.write_quotes([quote("AAPL", seq=2)]))
    await all_delivered(proxy, 2)
    await sink.write_quotes([quote("AAPL", seq=3)])
    found = await documents.quote("AAPL")
    assert found is not None
    assert found["seq"] == 3


async def test_a_commit_that_is_delivered_twice_takes_effect_once(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy
) -> None:
    sink, documents = opened
    await sink.write_quotes([quote("AAPL", seq=1)])
    proxy.faults = [Fault("Commit", copies=2, times=1)]
    await sink.write_quotes([quote("AAPL", seq=2)])
    await all_delivered(proxy, 3)
    await sink.write_quotes([quote("AAPL", seq=3)])
    found = await documents.quote("AAPL")
    assert found is not None
    assert found["seq"] == 3
    assert grpc.StatusCode.FAILED_PRECONDITION in proxy.outcomes


async def test_late_statuses_bars_records_and_heartbeats_do_not_replace_newer_ones(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy
) -> None:
    sink, documents = opened
    await sink.write_quotes([quote("AAPL", seq=1)])
    await abandon(proxy, sink.set_status_of_existing_quotes(["AAPL"], "stale"))
    await sink.write_quotes([quote("AAPL", seq=2)])
    await abandon(proxy, sink.write_bars([bar("AAPL")]))
    newer = bar("AAPL")
    await sink.write_bars([newer])
    await abandon(proxy, sink.merge_ingest_states([state("AAPL", "paused")]))
    await sink.merge_ingest_states([state("AAPL", quotes=NOW)])
    await abandon(proxy, sink.write_heartbeat(heartbeat("uid", 1, "paused")))
    await sink.write_heartbeat(heartbeat("uid", 1, "running"))
    await all_delivered(proxy, 9)
    assert await documents.quote("AAPL") == quote("AAPL", seq=2).document_fields()
    assert await documents.bar("AAPL") == newer.document_fields()
    record, beat = await documents.record("AAPL"), await documents.heartbeat()
    assert record is not None
    assert record["status"] == "active"
    assert beat is not None
    assert beat["status"] == "running"


async def test_a_document_that_another_client_changed_or_deleted_is_written(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy
) -> None:
    sink, documents = opened
    await sink.write_quotes([quote("AAPL", seq=1), quote("MSFT", seq=2)])
    await documents.put_quote("AAPL", {"foreign": True})
    await documents.delete_quote("MSFT")
    await sink.write_quotes([quote("AAPL", seq=3), quote("MSFT", seq=4)])
    assert await documents.quote("AAPL") == quote("AAPL", seq=3).document_fields()
    assert await documents.quote("MSFT") == quote("MSFT", seq=4).document_fields()


async def test_a_write_reads_its_document_only_the_first_time(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy
) -> None:
    sink, _ = opened
    for seq in range(5):
        await sink.write_quotes([quote("AAPL", seq=seq)])
        await sink.set_status_of_existing_quotes(["AAPL"], "stale")
    assert proxy.count("BatchGetDocuments") == 1
    await sink.quote_document_times(["MSFT"])
    await sink.write_quotes([quote("MSFT")])
    assert proxy.count("BatchGetDocuments") == 2


async def test_documents_are_updated_even_if_every_answer_comes_too_late(
    opened: tuple[FirestoreSink, Documents], proxy: FirestoreProxy
) -> None:
    sink, documents = opened
    await sink.write_quotes([quote("AAPL", seq=1)])
    proxy.faults = [Fault("Commit", late_seconds=3.0)]
    for seq in (2, 3, 4):
        with pytest.raises(SinkError, match=r"within 2\.5 s$"):
            await sink.write_quotes([quote("AAPL", seq=seq)])
        await asyncio.sleep(1.0)
    found = await documents.quote("AAPL")
    assert found is not None
    assert found["seq"] == 4
