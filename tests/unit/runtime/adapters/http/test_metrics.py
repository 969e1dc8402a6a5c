from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.adapters.http.metrics import encode_as_prometheus_text
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.counters import increment
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.market import Trade
from sluice_runtime.domain.market_hours import (
    ALWAYS_OPEN,
    REGULAR_AND_EXTENDED_HOURS,
    UNKNOWN_HOURS,
    MarketSchedule,
    market_hours,
)
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.sale_conditions import last_sale_rule
from sluice_runtime.loops.freshness_monitor import FreshnessObserver
from sluice_runtime.loops.journal import Journal
from support.runtime_fakes import desired, journal, quote
from support.virtual_time import START, seconds

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
async def book() -> Journal:
    return journal()


def samples(book: Journal) -> Samples:
    families = text_string_to_metric_families(encode_as_prometheus_text(book).decode())
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(book: Journal, name: str, **labels: str) -> float | None:
    return samples(book).get((name, frozenset(labels.items())))


async def test_the_names_and_labels_are_those_of_the_contract(book: Journal) -> None:
    book.on_state("Live")
    increment(book.counters.stops, "operator_request")
    increment(book.counters.errors, "auth")
    increment(book.counters.suppressed, "dry_run", 3)
    assert value(book, "ingest_active", provider="synthetic") == 1
    assert value(book, "ingest_live_transitions_total", provider="synthetic") == 1
    assert value(book, "ingest_stops_total", provider="synthetic", reason="operator_request") == 1
    assert value(book, "ingest_errors_total", provider="synthetic", stage="auth") == 1
    assert value(book, "ingest_writes_suppressed_total", reason="dry_run") == 3


async def test_the_counters_of_starts_and_stops_are_zero_from_the_beginning(book: Journal) -> None:
    for name in ("ingest_starts_total", "ingest_live_transitions_total"):
        assert value(book, name, provider="synthetic") == 0
    for reason in ("operator_request", "auto_stop", "deleted"):
        assert value(book, "ingest_stops_total", provider="synthetic", reason=reason) == 0


async def test_attempts_are_counted_separately_from_the_times_that_the_stream_became_live(book: Journal) -> None:
    book.counters.starts += 3
    book.on_state("Live")
    assert value(book, "ingest_starts_total", provider="synthetic") == 3
    assert value(book, "ingest_live_transitions_total", provider="synthetic") == 1


async def test_trades_with_an_unknown_condition_are_counted_by_tape_and_code() -> None:
    book = journal(desired(channels=["quotes", "trades"]))
    rule = last_sale_rule("C", ("@", "?"))
    book.on_trades([Trade(symbol="AAPL", ts=START, price=1.0, rule=rule)] * 2)
    assert value(book, "ingest_unknown_trade_conditions_total", tape="C", code="?") == 2


async def test_a_stream_that_is_not_live_is_not_active(book: Journal) -> None:
    assert value(book, "ingest_active", provider="synthetic") == 0
    assert value(book, "ingest_paused") == 0
    book.desired.set(with_pause(desired(), PauseInForce(source="cr:acme/us")))
    assert value(book, "ingest_paused") == 1


async def test_each_quote_is_counted_by_its_result(book: Journal) -> None:
    book.on_ticks([quote("AAPL"), quote("AAPL"), quote("ZZZZ"), quote("AAPL", START.replace(year=2020))])
    book.record_quote_writes(1)
    names = ("received", "coalesced", "unwanted", "out_of_order", "written")
    assert [value(book, f"ingest_quotes_{name}_total") for name in names] == [2, 1, 1, 1, 1]
    assert value(book, "ingest_quotes_waiting") == 1
    assert value(book, "ingest_batches_total") == 1


async def test_symbols_are_counted_by_their_result(book: Journal) -> None:
    book.desired.set(desired(symbols=["A", "B", "C", "D"], pausedSymbols=[{"symbol": "D"}]))
    book.on_acknowledgement(frozenset("A"), [SymbolRejection(symbol="B", code=400, message="no")])
    states = ("confirmed", "rejected", "pending", "paused")
    assert [value(book, "ingest_symbols", state=state) for state in states] == [1, 1, 1, 1]


async def test_a_time_that_was_never_set_is_absent(book: Journal) -> None:
    assert value(book, "ingest_last_write_timestamp_seconds") is None
    book.on_ticks([quote("AAPL")])
    book.record_quote_writes(1)
    for name in ("loop_tick", "last_message", "last_quote", "last_write"):
        assert value(book, f"ingest_{name}_timestamp_seconds") == START.timestamp()


async def test_the_skew_of_the_clock_is_absent_until_it_is_known(book: Journal) -> None:
    assert value(book, "ingest_clock_skew_seconds") is None
    at = book.now() - timedelta(seconds=30)
    book.on_provider_time(ClockReading(earliest=at, latest=at, sent_at=seconds(), received_at=seconds()))
    assert value(book, "ingest_clock_skew_seconds") == pytest.approx(30)


async def test_every_metric_has_help(book: Journal) -> None:
    assert all(
        family.documentation for family in text_string_to_metric_families(encode_as_prometheus_text(book).decode())
    )


async def test_the_market_has_its_session_and_the_end_of_the_calendar(book: Journal) -> None:
    assert value(book, "ingest_market_open") is None
    FreshnessObserver(book, market_hours(REGULAR_AND_EXTENDED_HOURS))
    assert value(book, "ingest_market_open") == 1
    assert [value(book, "ingest_market_session", session=each) for each in ("regular", "extended", "overnight")] == [
        1,
        0,
        0,
    ]
    end = value(book, "ingest_market_calendar_end_timestamp_seconds")
    assert end == datetime(2031, 12, 31, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("schedule", "is_open"), [(ALWAYS_OPEN, 1), (UNKNOWN_HOURS, None)])
async def test_a_market_without_sessions_has_no_calendar(
    book: Journal, schedule: MarketSchedule, is_open: float | None
) -> None:
    FreshnessObserver(book, market_hours(schedule))
    assert value(book, "ingest_market_open") == is_open
    assert value(book, "ingest_market_calendar_end_timestamp_seconds") is None
