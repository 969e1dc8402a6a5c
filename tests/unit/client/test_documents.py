"""Documents as Firestore delivers them, and documents of other writers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.api_core.datetime_helpers import DatetimeWithNanoseconds

from sluice_client import Failure, Gap, parse_heartbeat, parse_quote
from sluice_client.documents import parse_time
from sluice_contract.documents import HeartbeatDocument, LiveQuote
from support.sinks import heartbeat, quote
from support.verdict_cases import verdict_cases

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, NOON),
        (NOON.astimezone(timezone(timedelta(hours=-5))), NOON),
        (DatetimeWithNanoseconds(2026, 3, 2, 12, nanosecond=5, tzinfo=UTC), NOON),
        ("2026-03-02T12:00:00Z", NOON),
        ("2026-03-02T07:00:00-05:00", NOON),
        ("2026-03-02T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2026-03-02 12:00:00Z", None),
        ("2026-03-02T12:00:00", None),
        ("2026-03-02", None),
        (NOON.replace(tzinfo=None), None),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), None),
        (1772452800, None),
        (None, None),
    ],
)
def test_a_time_needs_a_zone(value: object, expected: datetime | None) -> None:
    assert parse_time(value) == expected


def test_what_the_runtime_writes_is_read() -> None:
    written: LiveQuote = quote("BTC/USD")
    found = parse_quote(written.document_fields())
    assert found is not None
    assert (found.symbol, found.bid, found.ask, found.price) == ("BTC/USD", 1.5, 2.5, 2.0)
    assert (found.ts, found.written_at) == (written.ts, written.written_at)
    assert (found.session_id, found.epoch, found.seq, found.source) == ("s", 7, 1, "alpaca:iex")
    assert (found.status, found.price_basis, found.bid_size, found.ask_size) == ("live", "mid", 100.0, None)


def test_a_heartbeat_that_the_runtime_writes_is_read() -> None:
    written: HeartbeatDocument = heartbeat("uid", 7)
    found = parse_heartbeat(written.document_fields())
    assert found is not None
    assert (found.status, found.ts, found.job, found.epoch, found.session_id) == (
        "running",
        written.ts,
        "acme/us",
        7,
        "s",
    )
    assert (found.ingest_enabled, found.dry_run, found.effective_interval_ms) == (True, False, 1000.0)


def test_the_newer_fields_of_a_heartbeat_are_read() -> None:
    complete = verdict_cases()[0].heartbeat
    assert isinstance(complete, dict)
    found = parse_heartbeat(
        {
            **complete,
            "gaps": [{"from": NOON, "to": None, "cause": "disconnect"}, {"cause": "no time"}, "x"],
            "failure": {"type": "auth", "message": "m", "remedy": "r", "at": NOON},
            "stale": ["A", "B"],
        }
    )
    assert found is not None
    assert found.gaps == (Gap(NOON, None, "disconnect"),)
    assert found.failure == Failure("auth", "m", "r", NOON)
    assert found.stale == {"A", "B"}
    assert (found.feed, found.market, found.clock_skew_ms) == ("alpaca:iex", "open", 12.0)
    assert found.symbols == {"desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0}


def test_the_symbol_that_was_asked_for_is_used_where_the_document_names_none() -> None:
    found = parse_quote({}, "SPY")
    assert found is not None
    assert found.symbol == "SPY"
