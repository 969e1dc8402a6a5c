import pytest

from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.sinks.dry_run_sink import DryRunSink
from support.sinks import bar, gap, heartbeat, quote, state


async def test_nothing_is_stored_and_only_heartbeats_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log = WriteLog()
    sink = DryRunSink(log)
    await sink.write_quotes([quote("AAPL")])
    await sink.write_bars([bar("AAPL")])
    await sink.merge_ingest_states([state("AAPL", "paused")])
    await sink.write_gaps([gap()], replace=True)
    await sink.delete_own_quotes_and_bars(["AAPL"])
    assert await sink.set_status_of_existing_quotes(["AAPL"], "stale") == frozenset()
    assert await sink.recorded_symbols_of_job() == await sink.symbols_recorded_as_paused() == frozenset()
    assert await sink.quote_document_times(["AAPL"]) == await sink.recorded_pause_starts(["AAPL"]) == {}
    assert caplog.records == []
    await sink.write_heartbeat(heartbeat("uid", 1))
    assert await sink.stored_heartbeat() is None
    await sink.close()
    assert [vars(record)["event_type"] for record in caplog.records] == ["would_write"]
    assert (log.documents, log.heartbeats) == ({}, 0)
