"""The ownership of documents: one suite for the Firestore sink on the emulator and its fake."""

from __future__ import annotations

import msgspec
import pytest

from sluice_runtime.ports import Sink
from support.fake_sink import JOB
from support.sinks import NOW, Documents, bar, quote, state

# Google's client must stay on the event loop that created it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROJECT = "demo-sluice-ownership"
OTHER = "acme/other"


async def test_the_quote_and_the_bar_of_a_removed_symbol_are_deleted_together(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("BTC/USD"), quote("KEPT")])
    await sink.write_bars([bar("BTC/USD"), bar("KEPT"), bar("BARE")])
    await sink.delete_own_quotes_and_bars(["BTC/USD", "BARE"])
    assert [await documents.quote("BTC/USD"), await documents.bar("BTC/USD"), await documents.bar("BARE")] == [None] * 3
    assert await documents.quote("KEPT") == quote("KEPT").document_fields()
    assert await documents.bar("KEPT") == bar("KEPT").document_fields()


async def test_another_job_s_documents_are_never_deleted(sink: Sink, documents: Documents) -> None:
    names = [f"THEIRS{n}" for n in range(60)]
    await sink.write_quotes([quote(name, job=OTHER if n % 2 else JOB) for n, name in enumerate(names)])
    await sink.write_bars([bar(name, job=JOB if n % 2 else OTHER) for n, name in enumerate(names)])
    await sink.delete_own_quotes_and_bars(names)
    for n, name in enumerate(names[:4]):
        assert (await documents.quote(name) is not None) == (n % 2 == 1)
        assert (await documents.bar(name) is not None) == (n % 2 == 0)


async def test_a_document_taken_over_by_another_job_belongs_to_it(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("TAKEN")])
    await sink.write_quotes([quote("TAKEN", seq=2, job=OTHER)])
    await sink.set_status_of_existing_quotes(["TAKEN"], "stale")
    await sink.delete_own_quotes_and_bars(["TAKEN"])
    found = await documents.quote("TAKEN")
    assert found is not None
    assert (found["job"], found["status"]) == (OTHER, "stale")


async def test_the_records_of_a_job_are_found_until_their_status_is_removed(sink: Sink) -> None:
    await sink.merge_ingest_states(
        [state("R1"), state("R2", "paused"), msgspec.structs.replace(state("R3"), job=OTHER)]
    )
    assert await sink.recorded_symbols_of_job() & {"R1", "R2", "R3"} == {"R1", "R2"}
    await sink.merge_ingest_states([state("R1", "removed")])
    assert await sink.recorded_symbols_of_job() & {"R1", "R2", "R3"} == {"R2"}


async def test_a_record_taken_over_by_another_job_is_not_set_to_removed(sink: Sink, documents: Documents) -> None:
    theirs = msgspec.structs.replace(state("MOVED"), job=OTHER)
    await sink.merge_ingest_states([state("MOVED"), state("GONE")])
    await sink.merge_ingest_states([theirs])
    await sink.merge_ingest_states(
        [state("MOVED", "removed", "why"), state("GONE", "removed", "why"), state("NEVER", "removed")]
    )
    assert await documents.record("MOVED") == theirs.document_fields()
    for name in ("GONE", "NEVER"):
        found = await documents.record(name)
        assert found is not None
        assert (found["status"], found["job"]) == ("removed", None)


async def test_a_record_has_the_time_of_the_last_bar(sink: Sink, documents: Documents) -> None:
    await sink.merge_ingest_states([state("BARRED", quotes=NOW)])
    await sink.merge_ingest_states([state("BARRED", bars=NOW)])
    found = await documents.record("BARRED")
    assert found is not None
    assert found["channels"] == {
        "quotes": {"timeframe": "tick", "last_ts": NOW},
        "bars": {"timeframe": "1Min", "last_bar_ts_utc": NOW},
    }
