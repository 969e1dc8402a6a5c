"""One suite for the Firestore sink on the emulator and for the fake that other tests use."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from sluice_contract.spec import FirestoreSettings
from sluice_runtime.domain.failure import FencedError, SinkError
from sluice_runtime.ports import Sink
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from support.deadlines import assert_takes_at_most
from support.fake_sink import JOB
from support.firestore import VARIABLE
from support.sinks import NOW, TENANT, Documents, bar, gap, heartbeat, quote, state

# Google's client must stay on the event loop that created it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROJECT = "demo-sluice-sink"


async def test_times_has_only_the_documents_that_exist(sink: Sink) -> None:
    await sink.write_quotes([quote("AAPL"), quote("BRK.B")])
    assert await sink.quote_document_times(["AAPL", "BRK.B", "MISSING"]) == {"AAPL": NOW, "BRK.B": NOW}


async def test_a_quote_is_stored_completely_with_times_as_timestamps(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("AAPL")])
    found = await documents.quote("AAPL")
    assert found == quote("AAPL").document_fields()
    assert found["ts"] == NOW


async def test_an_unknown_side_is_null(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("NULL", bid=None)])
    found = await documents.quote("NULL")
    assert found is not None
    assert (found["bid"], found["bid_price"], found["price"], found["ask_size"]) == (None, None, None, None)


async def test_a_later_write_replaces_all_of_the_document(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("REPL")])
    await sink.set_status_of_existing_quotes(["REPL"], "paused")
    await sink.write_quotes([quote("REPL", seq=2)])
    assert await documents.quote("REPL") == quote("REPL", seq=2).document_fields()


async def test_a_hundred_documents_go_in_one_batch(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote(f"S{n}", seq=n) for n in range(100)])
    for n in (0, 50, 99):
        found = await documents.quote(f"S{n}")
        assert found is not None
        assert found["seq"] == n


async def test_a_pair_with_a_slash_has_its_own_document(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("BTC/USD")])
    found = await documents.quote("BTC/USD")
    assert found is not None
    assert found["symbol"] == "BTC/USD"


async def test_mark_changes_only_the_status_and_only_existing_documents(sink: Sink, documents: Documents) -> None:
    await sink.write_quotes([quote("MARK")])
    await sink.set_status_of_existing_quotes(["ABSENT", "MARK", "ABSENT2"], "paused")
    assert await documents.quote("MARK") == {**quote("MARK").document_fields(), "status": "paused"}
    assert await documents.quote("ABSENT") is None
    assert await documents.quote("ABSENT2") is None


async def test_a_bar_has_its_own_document(sink: Sink, documents: Documents) -> None:
    await sink.write_bars([bar("BTC/USD")])
    assert await documents.bar("BTC/USD") == bar("BTC/USD").document_fields()


async def test_gaps_have_documents_that_a_retry_does_not_duplicate(sink: Sink, documents: Documents) -> None:
    await sink.write_gaps([gap(), gap(["BTC/USD"])], replace=True)
    await sink.write_gaps([gap(), gap(["BTC/USD"])], replace=True)
    assert await documents.gap(gap().document_id) == gap().document_fields()
    assert await documents.gap(gap(["BTC/USD"]).document_id) == gap(["BTC/USD"]).document_fields()


async def test_a_gap_is_replaced_only_on_request(sink: Sink, documents: Documents) -> None:
    before, after = gap(["ETH/USD"], trades=1), gap(["ETH/USD"], trades=2)
    await sink.write_gaps([before], replace=False)
    await sink.write_gaps([after, gap(["SPY"])], replace=False)
    assert await documents.gap(before.document_id) == before.document_fields()
    assert await documents.gap(gap(["SPY"]).document_id) is not None
    await sink.write_gaps([after], replace=True)
    assert await documents.gap(before.document_id) == after.document_fields()


async def test_many_documents_are_marked_quickly(sink: Sink, documents: Documents) -> None:
    names = [f"M{n}" for n in range(100)]
    await sink.write_quotes([quote(name) for name in names[::2]])
    await sink.set_status_of_existing_quotes(names, "paused")
    found = [await documents.quote(name) for name in names]
    assert [each["status"] if each else None for each in found] == ["paused", None] * 50


async def test_delete_deletes_all_and_ignores_absent_documents(sink: Sink, documents: Documents) -> None:
    names = [f"D{n}" for n in range(150)]
    await sink.write_quotes([quote(name) for name in names[:100]])
    await sink.write_quotes([quote("KEEP")])
    await sink.delete_own_quotes_and_bars(names)
    assert [await documents.quote(name) for name in (names[0], names[99], names[149])] == [None, None, None]
    assert await documents.quote("KEEP") is not None


async def test_empty_calls_are_not_an_error(sink: Sink) -> None:
    await sink.write_quotes([])
    await sink.set_status_of_existing_quotes([], "paused")
    await sink.delete_own_quotes_and_bars([])


async def test_a_heartbeat_is_stored_completely(sink: Sink, documents: Documents) -> None:
    await documents.delete_heartbeat()
    await sink.write_heartbeat(heartbeat("whole", 7))
    assert await documents.heartbeat() == heartbeat("whole", 7).document_fields()


async def test_the_same_and_an_earlier_incarnation_s_heartbeat_are_replaced(sink: Sink, documents: Documents) -> None:
    await documents.delete_heartbeat()
    for epoch, status in ((7, "running"), (7, "paused"), (8, "running")):
        await sink.write_heartbeat(heartbeat("again", epoch, status))
    found = await documents.heartbeat()
    assert found is not None
    assert (found["epoch"], found["status"]) == (8, "running")


async def test_a_later_incarnation_s_heartbeat_is_never_replaced(sink: Sink, documents: Documents) -> None:
    await documents.delete_heartbeat()
    await sink.write_heartbeat(heartbeat("fenced", 9))
    with pytest.raises(FencedError, match=r"a later process of this job writes \(epoch 9; this is epoch 8\)"):
        await sink.write_heartbeat(heartbeat("fenced", 8, "paused"))
    found = await documents.heartbeat()
    assert found is not None
    assert (found["epoch"], found["status"]) == (9, "running")
    await sink.write_heartbeat(heartbeat("fenced", 9, "paused"))


async def test_a_record_keeps_fields_that_a_later_write_does_not_have(sink: Sink, documents: Documents) -> None:
    await sink.merge_ingest_states([state("BTC/USD", quotes=NOW, trades=NOW), state("OTHER")])
    await sink.merge_ingest_states([state("BTC/USD", "paused", "why")])
    await sink.merge_ingest_states([state("BTC/USD", quotes=NOW + timedelta(seconds=1))])
    assert await documents.record("BTC/USD") == {
        "canonical_symbol": "BTC/USD",
        "job": JOB,
        "status": "active",
        "pause_fetch": False,
        "notes": "why",
        "updated_at": NOW,
        "channels": {
            "quotes": {"timeframe": "tick", "last_ts": NOW + timedelta(seconds=1)},
            "trades": {"timeframe": "tick", "last_ts": NOW},
        },
    }


async def test_the_records_of_paused_symbols_are_found(sink: Sink) -> None:
    await sink.merge_ingest_states([state("P1", "paused"), state("P2", "paused"), state("P3")])
    assert await sink.symbols_recorded_as_paused() >= {"P1", "P2"}
    await sink.merge_ingest_states([state("P1", "removed"), state("P2")])
    assert not await sink.symbols_recorded_as_paused() & {"P1", "P2", "P3"}


async def test_the_starts_of_pauses_are_found_in_the_job_s_own_records(sink: Sink, documents: Documents) -> None:
    own = {"job": "acme/us", "pause_fetch": True, "paused_since": NOW}
    await documents.put_record("PAUSED1", own)
    await documents.put_record("PAUSED2", own | {"job": "acme/other"})
    await documents.put_record("PAUSED3", own | {"pause_fetch": False})
    await documents.put_record("PAUSED/USD", own)
    symbols = ["PAUSED1", "PAUSED2", "PAUSED3", "PAUSED/USD", "ABSENT"]
    assert await sink.recorded_pause_starts(symbols) == {"PAUSED1": NOW, "PAUSED/USD": NOW}
    assert await sink.recorded_pause_starts([]) == {}


async def test_an_unreachable_firestore_is_soon_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv(VARIABLE, f"127.0.0.1:{taken.getsockname()[1]}")
        connection = await open_firestore_connection(FirestoreSettings(), PROJECT, None)
        sink = FirestoreSink(connection, TENANT, "live_quotes", "market_ingest", JOB)
        calls = (
            lambda: sink.write_quotes([quote("AAPL")]),
            lambda: sink.set_status_of_existing_quotes(["AAPL"], "paused"),
            lambda: sink.delete_own_quotes_and_bars(["AAPL"]),
            lambda: sink.write_heartbeat(heartbeat("away", 1)),
            lambda: sink.merge_ingest_states([state("AAPL")]),
            sink.symbols_recorded_as_paused,
            sink.recorded_symbols_of_job,
        )
        for call in calls:
            with assert_takes_at_most(3.0), pytest.raises(SinkError, match=r"^Firestore did not accept a"):
                await call()
        await sink.close()
