from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sluice_contract.pause_status import PauseSource
from sluice_contract.status import GapCause, StreamState
from sluice_contract.symbol_counts import FreshnessCounts, SymbolRejection
from sluice_runtime.adapters.http.metrics import RuntimeMetrics
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.counters import ERROR_STAGES, RepairKind, SuppressionReason, increment
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.market import Trade
from sluice_runtime.domain.market_hours import (
    ALWAYS_OPEN,
    REGULAR_AND_EXTENDED_HOURS,
    UNKNOWN_HOURS,
    MarketSchedule,
)
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.sale_conditions import last_sale_rule
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, quote, runtime_state, runtime_view
from support.virtual_time import START, seconds

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
async def runtime() -> RuntimeState:
    return runtime_state()


def samples(runtime: RuntimeState, schedule: MarketSchedule | None = None) -> Samples:
    families = text_string_to_metric_families(
        RuntimeMetrics(runtime_view(runtime, schedule)).encode_as_prometheus_text().decode()
    )
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(runtime: RuntimeState, name: str, schedule: MarketSchedule | None = None, **labels: str) -> float | None:
    return samples(runtime, schedule).get((name, frozenset(labels.items())))


async def test_the_names_and_labels_are_those_of_the_contract(runtime: RuntimeState) -> None:
    runtime.stream.on_state("Live")
    increment(runtime.counters.stops, "operator_request")
    increment(runtime.counters.errors, "auth")
    increment(runtime.counters.suppressed, "dry_run", 3)
    assert value(runtime, "ingest_active", provider="synthetic") == 1
    assert value(runtime, "ingest_live_transitions_total", provider="synthetic") == 1
    assert value(runtime, "ingest_stops_total", provider="synthetic", reason="operator_request") == 1
    assert value(runtime, "ingest_errors_total", provider="synthetic", stage="auth") == 1
    assert value(runtime, "ingest_writes_suppressed_total", reason="dry_run") == 3


async def test_the_counters_of_starts_and_stops_are_zero_from_the_beginning(runtime: RuntimeState) -> None:
    for name in ("ingest_starts_total", "ingest_live_transitions_total"):
        assert value(runtime, name, provider="synthetic") == 0
    for reason in ("operator_request", "auto_stop", "quota", "deleted"):
        assert value(runtime, "ingest_stops_total", provider="synthetic", reason=reason) == 0


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("ingest_errors_total", "stage", ERROR_STAGES),
        ("ingest_writes_suppressed_total", "reason", get_args(SuppressionReason)),
        ("ingest_gap_repairs_total", "kind", get_args(RepairKind)),
        ("ingest_gaps_total", "cause", get_args(GapCause)),
        ("ingest_gap_seconds_total", "cause", get_args(GapCause)),
        ("ingest_stream_state_seconds_total", "state", get_args(StreamState)),
        ("ingest_freshness_symbols", "state", FreshnessCounts.__struct_fields__),
        ("ingest_firestore_request_seconds_count", "kind", ("reads", "writes", "deletes")),
    ],
)
async def test_each_value_of_a_label_is_0_from_the_beginning(
    runtime: RuntimeState, name: str, label: str, values: Sequence[str]
) -> None:
    found = {
        dict(labels)[label]: number for (found_name, labels), number in samples(runtime).items() if found_name == name
    }
    assert found == dict.fromkeys(values, 0.0)


async def test_the_process_and_the_build_have_metrics(runtime: RuntimeState) -> None:
    found = {name: dict(labels) for name, labels in samples(runtime)}
    assert found["ingest_build_info"].keys() == {"version", "python"}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_start_time_seconds"} <= found.keys()


async def test_a_registry_reads_the_state_at_each_scrape(runtime: RuntimeState) -> None:
    metrics = RuntimeMetrics(runtime_view(runtime))
    assert b"ingest_quotes_received_total 0.0" in metrics.encode_as_prometheus_text()
    runtime.stream.on_ticks([quote("AAPL")])
    assert b"ingest_quotes_received_total 1.0" in metrics.encode_as_prometheus_text()


async def test_attempts_are_counted_separately_from_the_times_that_the_stream_became_live(
    runtime: RuntimeState,
) -> None:
    runtime.counters.starts += 3
    runtime.stream.on_state("Live")
    assert value(runtime, "ingest_starts_total", provider="synthetic") == 3
    assert value(runtime, "ingest_live_transitions_total", provider="synthetic") == 1


async def test_trades_with_an_unknown_condition_are_counted_by_tape_and_code() -> None:
    runtime = runtime_state(desired(channels=["quotes", "trades"]))
    rule = last_sale_rule("C", ("@", "?"))
    runtime.stream.on_trades([Trade(symbol="AAPL", ts=START, price=1.0, rule=rule)] * 2)
    assert value(runtime, "ingest_unknown_trade_conditions_total", tape="C", code="?") == 2


async def test_a_stream_that_is_not_live_is_not_active(runtime: RuntimeState) -> None:
    assert value(runtime, "ingest_active", provider="synthetic") == 0
    assert value(runtime, "ingest_paused") == 0
    runtime.desired.set(with_pause(desired(), PauseInForce(source="spec.enabled")))
    assert value(runtime, "ingest_paused") == 1


async def test_the_switches_that_pause_are_counted_by_kind(runtime: RuntimeState) -> None:
    assert value(runtime, "ingest_paused_by", source="pause") == 0
    others = (PauseSource(source="pause:b"), PauseSource(source="spec.enabled"))
    runtime.desired.set(with_pause(desired(), PauseInForce(source="pause:a", others=others)))
    assert value(runtime, "ingest_paused_by", source="pause") == 2
    assert value(runtime, "ingest_paused_by", source="spec.enabled") == 1
    assert value(runtime, "ingest_paused_by", source="api") == 0


async def test_each_quote_is_counted_by_its_result(runtime: RuntimeState) -> None:
    runtime.stream.on_ticks([quote("AAPL"), quote("AAPL"), quote("ZZZZ"), quote("AAPL", START.replace(year=2020))])
    runtime.sink_health.record_quote_writes(1)
    names = ("received", "coalesced", "unwanted", "out_of_order", "written")
    assert [value(runtime, f"ingest_quotes_{name}_total") for name in names] == [2, 1, 1, 1, 1]
    assert value(runtime, "ingest_quotes_waiting") == 1
    assert value(runtime, "ingest_batches_total") == 1


async def test_symbols_are_counted_by_their_result(runtime: RuntimeState) -> None:
    runtime.desired.set(desired(symbols=["A", "B", "C", "D"], pausedSymbols=[{"symbol": "D"}]))
    runtime.stream.on_acknowledgement(frozenset("A"), [SymbolRejection(symbol="B", code=400, message="no")])
    states = ("confirmed", "rejected", "pending", "paused")
    assert [value(runtime, "ingest_symbols", state=state) for state in states] == [1, 1, 1, 1]


async def test_a_time_that_was_never_set_is_absent(runtime: RuntimeState) -> None:
    assert value(runtime, "ingest_last_write_timestamp_seconds") is None
    runtime.stream.on_ticks([quote("AAPL")])
    runtime.sink_health.record_quote_writes(1)
    for name in ("loop_tick", "last_message", "last_quote", "last_write"):
        assert value(runtime, f"ingest_{name}_timestamp_seconds") == START.timestamp()


async def test_the_skew_of_the_clock_is_absent_until_it_is_known(runtime: RuntimeState) -> None:
    assert value(runtime, "ingest_clock_skew_seconds") is None
    at = runtime.now() - timedelta(seconds=30)
    runtime.stream.on_provider_time(ClockReading(earliest=at, latest=at, sent_at=seconds(), received_at=seconds()))
    assert value(runtime, "ingest_clock_skew_seconds") == pytest.approx(30)


async def test_every_metric_has_help(runtime: RuntimeState) -> None:
    assert all(
        family.documentation
        for family in text_string_to_metric_families(
            RuntimeMetrics(runtime_view(runtime)).encode_as_prometheus_text().decode()
        )
    )


async def test_the_market_has_its_session_and_the_end_of_the_calendar(runtime: RuntimeState) -> None:
    assert value(runtime, "ingest_market_open") is None
    hours = REGULAR_AND_EXTENDED_HOURS
    assert value(runtime, "ingest_market_open", hours) == 1
    sessions = ("regular", "extended", "overnight")
    assert [value(runtime, "ingest_market_session", hours, session=each) for each in sessions] == [1, 0, 0]
    end = value(runtime, "ingest_market_calendar_end_timestamp_seconds", hours)
    assert end == datetime(2031, 12, 31, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("schedule", "is_open"), [(ALWAYS_OPEN, 1), (UNKNOWN_HOURS, None)])
async def test_a_market_without_sessions_has_no_calendar(
    runtime: RuntimeState, schedule: MarketSchedule, is_open: float | None
) -> None:
    assert value(runtime, "ingest_market_open", schedule) == is_open
    assert value(runtime, "ingest_market_calendar_end_timestamp_seconds", schedule) is None


async def test_only_destinations_besides_firestore_have_metrics_of_their_own(runtime: RuntimeState) -> None:
    assert {name for name, _ in samples(runtime) if "destination" in name} == set()
    health = runtime.destination_healths.health_of("nats")
    health.record_sent("quotes", 5)
    health.record_dropped("gaps", 2)
    assert value(runtime, "ingest_destination_sent_total", destination="nats", kind="quotes") == 5
    assert value(runtime, "ingest_destination_dropped_total", destination="nats", kind="gaps") == 2
    assert value(runtime, "ingest_destination_failing", destination="nats") == 0
    assert value(runtime, "ingest_destination_last_sent_timestamp_seconds", destination="nats") == START.timestamp()
    health.record_failure("refused")
    assert value(runtime, "ingest_destination_failing", destination="nats") == 1


async def test_the_documents_of_the_day_are_counted_also_without_a_budget(runtime: RuntimeState) -> None:
    runtime.write_budget.record_sent(7)
    assert value(runtime, "ingest_write_budget_used_documents") == 7
    assert value(runtime, "ingest_write_budget_limit_documents") is None
    assert value(runtime, "ingest_write_budget_documents_per_second") is None


async def test_a_budget_has_its_limit_and_its_pace() -> None:
    runtime = runtime_state(desired(limits={"writesPerDay": 20_000}))
    assert value(runtime, "ingest_write_budget_limit_documents") == 20_000
    assert value(runtime, "ingest_write_budget_documents_per_second") == runtime.write_budget.documents_per_second
