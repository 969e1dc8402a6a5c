"""The log lines of acknowledged writes: their rate, their sums, and their fields."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_runtime.domain.heartbeat_document import heartbeat_document
from sluice_runtime.loops.write_log import WriteLog
from support.runtime_fakes import desired, runtime_state
from support.virtual_time import at, seconds

SYMBOLS = ("AAPL", "MSFT", "SPY", "QQQ")


class Lines(logging.Handler):
    """Keeps the fields of each line, with the virtual time at which it was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[float, dict[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append((seconds(), {**vars(record), "message": record.getMessage()}))

    def of(self, event_type: str) -> list[dict[str, Any]]:
        return [line for _, line in self.found if line["event_type"] == event_type]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    caplog.set_level(logging.INFO)
    handler = Lines()
    logger = logging.getLogger("sluice_runtime.loops.write_log")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


async def test_commits_that_are_far_apart_have_a_line_each(lines: Lines) -> None:
    log = WriteLog()
    for moment, symbol in enumerate(SYMBOLS):
        await at(float(moment))
        log.record_commit("quotes", [symbol])
    assert [(line["symbol"], line["count"], line["commits"]) for line in lines.of("firestore_write")] == [
        (symbol, 1, 1) for symbol in SYMBOLS
    ]
    assert [moment for moment, _ in lines.found] == [0.0, 1.0, 2.0, 3.0]


async def test_twenty_commits_a_second_make_at_most_five_lines_in_any_second(lines: Lines) -> None:
    log = WriteLog()
    for number in range(100):
        log.record_commit("quotes", [SYMBOLS[number % 4]])
        await asyncio.sleep(0.05)
    log.log_pending()
    moments = [moment for moment, _ in lines.found]
    assert max(sum(begin <= moment < begin + 1 for moment in moments) for begin in moments) <= 5
    written = lines.of("firestore_write")
    assert sum(line["count"] for line in written) == sum(line["commits"] for line in written) == 100


async def test_commits_that_follow_a_line_are_in_the_next_one_even_if_no_other_commit_follows(lines: Lines) -> None:
    log = WriteLog()
    log.record_commit("quotes", ["AAPL"])
    log.record_commit("quotes", ["MSFT", "SPY"])
    log.record_commit("records", ["QQQ"])
    await at(1)
    first, second = lines.of("firestore_write")
    assert (first["symbol"], first["count"]) == ("AAPL", 1)
    assert second["message"] == "wrote 3 documents (quotes: 2, records: 1), first MSFT; 1 other commit has no line"
    assert (second["quotes"], second["records"], second["commits"]) == (2, 1, 2)


async def test_the_last_documents_of_a_process_are_logged_at_its_end(lines: Lines) -> None:
    log = WriteLog()
    log.record_commit("quotes", ["AAPL"])
    log.record_commit("quotes", ["MSFT"])
    log.record_dry_run("quotes", ["SPY"])
    log.record_dry_run("quotes", ["QQQ"])
    log.log_pending()
    log.log_pending()
    await at(1)
    assert [line["symbol"] for line in lines.of("firestore_write")] == ["AAPL", "MSFT"]
    assert [line["symbol"] for line in lines.of("would_write")] == ["SPY", "QQQ"]


async def test_each_document_has_a_line_if_this_is_requested(lines: Lines) -> None:
    log = WriteLog(one_line_per_document=True)
    log.record_commit("quotes", SYMBOLS)
    log.record_dry_run("quotes", ["SPY"])
    written = lines.of("firestore_write")
    assert [(line["symbol"], line["count"]) for line in written] == [(symbol, 1) for symbol in SYMBOLS]
    assert [line["commits"] for line in written] == [1, 0, 0, 0]
    assert [line["symbol"] for line in lines.of("would_write")] == ["SPY"]


async def test_documents_are_counted_even_if_no_line_is_logged(caplog: pytest.LogCaptureFixture, lines: Lines) -> None:
    caplog.set_level(logging.WARNING)
    log = WriteLog()
    log.record_commit("quotes", ["AAPL", "MSFT"])
    log.record_commit("statuses", [])
    log.record_dry_run("quotes", ["SPY"])
    log.record_heartbeat(heartbeat_document(runtime_state().snapshot()))
    assert (log.documents["quotes"], log.documents["statuses"], log.dry_run_documents["quotes"]) == (2, 0, 1)
    assert log.heartbeats == 1
    assert lines.found == []


async def test_a_commit_without_documents_has_no_line(lines: Lines) -> None:
    WriteLog().record_commit("statuses", [])
    assert lines.found == []


async def test_each_heartbeat_has_a_line_with_its_status_and_symbols(lines: Lines) -> None:
    log = WriteLog()
    for _ in range(2):
        log.record_heartbeat(heartbeat_document(runtime_state(desired(dryRun=True)).snapshot()))
    [line, _] = lines.of("heartbeat")
    assert line["message"] == "wrote heartbeat: starting, 0 of 2 symbols confirmed"
    assert (line["status"], line["dry_run"], line["ingest_enabled"]) == ("starting", True, True)
    assert line["symbols"] == {"desired": 2, "confirmed": 0, "pending": 2, "paused": 0, "rejected": 0}


async def test_a_heartbeat_that_a_dry_run_does_not_write_is_not_counted(lines: Lines) -> None:
    log = WriteLog()
    log.record_dry_run_heartbeat(heartbeat_document(runtime_state().snapshot()))
    assert [line["message"] for line in lines.of("would_write")] == [
        "would write heartbeat: starting, 0 of 2 symbols confirmed"
    ]
    assert log.heartbeats == 0
