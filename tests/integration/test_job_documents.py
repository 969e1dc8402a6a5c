"""The deletion of all documents of a job, on a real emulator, and the command that does it."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from sluice_contract.spec import FirestoreSettings
from sluice_runtime.sinks.firestore import job_documents
from sluice_runtime.sinks.firestore.connection import FirestoreConnection, open_firestore_connection
from sluice_runtime.sinks.firestore.job_documents import JobDocuments
from support.deadlines import scaled
from support.fake_sink import JOB
from support.sinks import TENANT, Documents, bar, firestore_sink, gap, heartbeat, quote, state

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "acme/other"
_numbers = itertools.count(1)


class Site:
    """A project of its own, with documents of job acme/us and of another job."""

    def __init__(self, project: str, documents: Documents, connection: FirestoreConnection) -> None:
        self.project = project
        self.documents = documents
        self.found = JobDocuments(connection, TENANT, "live_quotes", JOB)

    async def counts(self) -> dict[str, int]:
        """Return how many documents of the job there are, by their kind."""
        return {kind: len(await self.found.find(kind)) for kind in self.found.kinds}


@pytest_asyncio.fixture(loop_scope="module")
async def site(emulator: str) -> AsyncIterator[Site]:
    """Fill a new project."""
    assert emulator
    project = f"demo-sluice-purge-{next(_numbers)}"
    connection = await open_firestore_connection(FirestoreSettings(), project, None)
    async with firestore_sink(project) as (sink, documents):
        await sink.write_quotes([quote("SPY"), quote("AAPL"), quote("REMOVED"), quote("THEIRS", job=OTHER)])
        await sink.write_bars([bar("SPY"), bar("THEIRS", job=OTHER)])
        await sink.merge_ingest_states([state("SPY"), msgspec.structs.replace(state("THEIRS"), job=OTHER)])
        await sink.write_gaps([gap(), gap(["SPY"])], replace=True)
        await sink.write_heartbeat(heartbeat("uid", 1))
        yield Site(project, documents, connection)
    await connection.close()


FULL = {"quotes": 3, "bars": 1, "records": 1, "gaps": 2, "heartbeats": 1}
EMPTY = dict.fromkeys(FULL, 0)


async def test_only_documents_of_the_job_are_found_and_deleted(site: Site) -> None:
    assert await site.counts() == FULL
    for kind in site.found.kinds:
        assert await site.found.delete(await site.found.find(kind)) == FULL[kind]
    assert await site.counts() == EMPTY
    theirs = (site.documents.quote, site.documents.bar, site.documents.record)
    assert [await read("THEIRS") is not None for read in theirs] == [True] * 3


async def test_many_documents_are_read_in_pages_and_deleted_in_batches(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_documents, "DOCUMENTS_PER_PAGE", 100)
    async with firestore_sink(site.project) as (sink, _):
        for start in (0, 100, 200):
            await sink.write_quotes([quote(f"S{number}") for number in range(start, start + 100)])
    found = await site.found.find("quotes")
    assert len({each.name for each in found}) == len(found) == 303
    assert await site.found.delete(found) == 303
    assert await site.found.find("quotes") == []


async def test_a_document_that_another_job_has_taken_over_stays(site: Site) -> None:
    found = await site.found.find("quotes")
    await site.documents.put_quote("SPY", quote("SPY", job=OTHER).document_fields())
    await site.documents.put_quote("AAPL", quote("AAPL", seq=2).document_fields())
    assert await site.found.delete(found) == 2
    remaining = await site.documents.quote("SPY")
    assert remaining is not None
    assert remaining["job"] == OTHER
    assert await site.documents.quote("AAPL") is None


def purge(project: str, folder: Path, *options: str, host: str = "") -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run the command as in a pod. Return it, and the file with its result."""
    spec = {"tenant": TENANT, "provider": "synthetic", "symbols": ["SPY"], "firestore": {"projectID": project}}
    job = {"namespace": "acme", "name": "us", "uid": "u", "generation": 1, "epoch": 1, "projectID": project}
    environment = {
        "SLUICE_JOB": json.dumps({**job, "spec": spec}),
        "POD_UID": "p",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "FIRESTORE_EMULATOR_HOST": host,
    }
    file = folder / "result"
    command = [sys.executable, "-m", "sluice_runtime", "purge", "--result-file", str(file), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=scaled(60))
    return done, file


async def test_the_command_counts_and_then_deletes(site: Site, emulator: str, tmp_path: Path) -> None:
    done, file = await asyncio.to_thread(purge, site.project, tmp_path, "--dry-run", host=emulator)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(file.read_text()) == {"found": FULL, "deleted": {}, "error": ""}
    assert await site.counts() == FULL
    done, file = await asyncio.to_thread(purge, site.project, tmp_path, host=emulator)
    assert json.loads(done.stdout) == json.loads(file.read_text()) == {"found": FULL, "deleted": FULL, "error": ""}
    assert await site.counts() == EMPTY


async def test_a_firestore_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    done, file = await asyncio.to_thread(purge, "demo-sluice-none", tmp_path, host="127.0.0.1:9")
    assert done.returncode == 1
    error = json.loads(file.read_text())["error"]
    assert error.startswith("Firestore did not accept")
    assert error.endswith("repeat the command, which deletes the rest")
