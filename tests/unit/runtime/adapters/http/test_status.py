import json
from typing import Any

import msgspec

from sluice_contract.status import StreamStatus
from sluice_runtime.adapters.http.status import status_body
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS, market_hours
from sluice_runtime.domain.pause import Switch
from sluice_runtime.loops.freshness_monitor import FreshnessObserver
from sluice_runtime.loops.journal import Journal
from support.runtime_fakes import desired, desired_state_of, job, journal
from support.virtual_time import START, now


def body(book: Journal) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status_body(book.snapshot()))
    return found


async def test_the_http_status_is_the_pod_s_part_of_the_status_with_two_more_fields() -> None:
    book = journal()
    book.on_state("Live")
    found = body(book)
    assert found.pop("pausedBy") == found.pop("pausedSymbols") == []
    assert msgspec.convert(found, StreamStatus) == stream_status(book.snapshot())
    assert found["heartbeat"]["at"] == "2026-03-02T15:00:00Z"
    assert found["heartbeat"]["dryRun"] is False


async def test_all_switches_that_pause_are_named_the_one_that_decides_first() -> None:
    others = [
        Switch(source="env:INGEST_ENABLED", pauses=False),
        Switch(source="api", pauses=True, reason="bad prints"),
        Switch(source="autoStop", pauses=True, until=START),
        Switch(source="file:enabled", pauses=True),
    ]
    found = body(journal(desired_state_of(job(enabled=False), now(), others)))
    assert found["pausedBy"] == ["cr:acme/us", "api", "file:enabled"]
    assert (found["ingestEnabled"], found["ingestEnabledSource"]) == (False, "cr:acme/us")


async def test_paused_symbols_are_those_of_the_job_in_order() -> None:
    paused = [{"symbol": symbol} for symbol in ("MSFT", "AAPL", "TSLA")]
    found = body(journal(desired(symbols=["AAPL", "MSFT", "SPY"], pausedSymbols=paused)))
    assert found["pausedSymbols"] == ["AAPL", "MSFT"]
    assert found["pausedBy"] == []


async def test_unknown_fields_are_absent_and_never_null() -> None:
    book = journal()
    assert not {"failure", "pause", "slot", "freshness", "preflight"} & body(book).keys()
    book.record_stream_failure(StreamError("auth", "check the key"))
    assert body(book)["failure"]["message"] == "check the key"
    assert "null" not in status_body(book.snapshot()).decode()


async def test_the_market_has_its_session_and_its_next_change() -> None:
    book = journal()
    FreshnessObserver(book, market_hours(REGULAR_AND_EXTENDED_HOURS))
    assert body(book)["market"] == {
        "phase": "open",
        "session": "regular",
        "since": "2026-03-02T09:00:00Z",
        "changesAt": "2026-03-03T01:00:00Z",
        "presumedClosed": False,
        "calendarEndsOn": "2031-12-31",
    }
