"""The runtime's metrics for Prometheus. They are collected only at a scrape, at no cost in between.

Each label has all its values from the start, with 0, so that `increase()` does not miss the first event. Only the codes
of unknown trade conditions are not known before.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time
from importlib.metadata import version
from typing import get_args

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sluice_contract.pause_sources import PAUSE_KINDS, kind_of_source
from sluice_contract.spec import TradingSession

from ...domain.counters import ERROR_STAGES, RepairKind, SuppressionReason
from ...domain.pause import STOP_REASONS
from ...view_ports import RuntimeView
from .duration_metrics import DurationCollector
from .metric_families import counters_by_label, gauges_by_label
from .state_metrics import StateCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST


class RuntimeMetrics:
    """The metrics of one process, in one registry: those of its state, of the process itself and of its build."""

    def __init__(self, view: RuntimeView) -> None:
        self._registry = CollectorRegistry()
        for collector in (_RuntimeCollector(view), StateCollector(view), DurationCollector(view)):
            self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        build = Gauge(
            "ingest_build_info", "1, with the versions of Sluice and of Python.", ["version", "python"],
            registry=self._registry,
        )  # fmt: skip
        build.labels(version("sluice-runtime"), platform.python_version()).set(1)

    def encode_as_prometheus_text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _RuntimeCollector(Collector):
    def __init__(self, view: RuntimeView) -> None:
        self._view = view

    def describe(self) -> Iterator[Metric]:
        """Describe nothing, so that the registration reads no state."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        yield from self._stream_counters()
        yield from self._labelled_counters()
        yield from self._gauges()
        yield from self._activity_times()
        yield from self._market_gauges()
        yield from self._write_budget()
        yield from self._destinations()

    def _counters(self) -> Iterator[Metric]:
        counters, coalescer = self._view.counters, self._view.coalescer
        pauses = "Pauses of single symbols, by spec.pausedSymbols or by a pause object."
        for name, text, value in (
            ("ingest_batches", "Batches of quotes received, of one or more quotes each.", self._view.batches),
            ("ingest_quotes_received", "Quotes received for subscribed symbols.", coalescer.received),
            (
                "ingest_quotes_coalesced",
                "Quotes replaced by a newer one before they were written.",
                coalescer.coalesced,
            ),
            ("ingest_quotes_out_of_order", "Quotes dropped because they were out of order.", coalescer.out_of_order),
            ("ingest_quotes_unwanted", "Quotes dropped because their symbol is unwanted.", coalescer.unwanted),
            ("ingest_quotes_written", "Quote documents acknowledged by Firestore.", counters.writes),
            ("ingest_paused_by_flag", pauses, counters.paused_by_flag),
            ("paused_by_flag", f"{pauses} The same as ingest_paused_by_flag_total.", counters.paused_by_flag),
        ):
            yield CounterMetricFamily(name, text, value=value)

    def _stream_counters(self) -> Iterator[Metric]:
        counters, provider = self._view.counters, self._view.snapshot().provider_label
        starts = CounterMetricFamily(
            "ingest_starts", "Attempts to connect to the provider, successful or not.", labels=["provider"]
        )
        starts.add_metric([provider], counters.starts)
        live = CounterMetricFamily("ingest_live_transitions", "Times that the stream became live.", labels=["provider"])
        live.add_metric([provider], counters.live_transitions)
        stops = CounterMetricFamily("ingest_stops", "Stops of the stream, by reason.", labels=["provider", "reason"])
        for reason, count in {**dict.fromkeys(STOP_REASONS, 0), **counters.stops}.items():
            stops.add_metric([provider, reason], count)
        errors = CounterMetricFamily("ingest_errors", "Errors, by stage.", labels=["provider", "stage"])
        for stage in ERROR_STAGES:
            errors.add_metric([provider, stage], counters.errors.get(stage, 0))
        yield from (starts, live, stops, errors)

    def _labelled_counters(self) -> Iterator[Metric]:
        counters = self._view.counters
        unknown = CounterMetricFamily(
            "ingest_unknown_trade_conditions",
            "Trades with a sale condition that is not in the table of their tape; they count as regular sales.",
            labels=["tape", "code"],
        )
        for labels, count in counters.unknown_trade_conditions.items():
            unknown.add_metric(labels, count)
        yield counters_by_label(
            "ingest_writes_suppressed",
            "Suppressed quote writes, by reason.",
            "reason",
            {each: counters.suppressed.get(each, 0) for each in get_args(SuppressionReason)},
        )
        yield unknown
        yield counters_by_label(
            "ingest_gap_repairs",
            "Trades and bars fetched for gaps, and symbols that remain open.",
            "kind",
            {each: counters.gap_repairs.get(each, 0) for each in get_args(RepairKind)},
        )

    def _gauges(self) -> Iterator[Metric]:
        snapshot = self._view.snapshot()
        pause = snapshot.desired.pause
        active = GaugeMetricFamily("ingest_active", "1 while the stream is live, otherwise 0.", labels=["provider"])
        active.add_metric([snapshot.provider_label], float(snapshot.state == "Live"))
        yield active
        yield GaugeMetricFamily(
            "ingest_paused", "1 while a switch pauses the job, otherwise 0.", value=pause is not None
        )
        kinds = Counter(kind_of_source(each.source) for each in pause.sources) if pause is not None else Counter()
        by_kind = {kind: kinds[kind] for kind in PAUSE_KINDS}
        yield gauges_by_label(
            "ingest_paused_by", "Switches that pause the job now, by kind of switch.", "source", by_kind
        )
        counts = snapshot.ledger.to_symbol_counts(snapshot.desired)
        by_state = {state: getattr(counts, state) for state in ("confirmed", "pending", "paused", "rejected")}
        yield gauges_by_label("ingest_symbols", "Declared symbols, by subscription state.", "state", by_state)
        yield GaugeMetricFamily(
            "ingest_quotes_waiting", "Symbols with a quote that waits to be written.", value=len(self._view.coalescer)
        )

    def _activity_times(self) -> Iterator[Metric]:
        snapshot = self._view.snapshot()
        clocks = snapshot.clocks
        if snapshot.clock_skew_seconds is not None:
            yield GaugeMetricFamily(
                "ingest_clock_skew_seconds",
                "How far the clock of this node is ahead of the provider's; absent while unknown.",
                value=snapshot.clock_skew_seconds,
            )
        for name, text, clock in (
            ("loop_tick", "the last run of the flush loop", clocks.loop_tick_at),
            ("last_message", "the last message from the provider", clocks.last_message_at),
            ("last_quote", "the last quote (event time)", clocks.last_quote_ts),
            ("last_write", "the last quote write acknowledged by Firestore", clocks.last_write_at),
        ):
            if clock is not None:
                yield GaugeMetricFamily(f"ingest_{name}_timestamp_seconds", f"Time of {text}.", value=clock.timestamp())

    def _market_gauges(self) -> Iterator[Metric]:
        freshness = self._view.snapshot().freshness
        if freshness is None or freshness.session.phase == "unknown":
            return
        state = freshness.session
        yield GaugeMetricFamily(
            "ingest_market_open",
            "1 while a session of the job's market is open, otherwise 0; absent while its hours are unknown.",
            value=state.phase == "open",
        )
        if state.calendar_ends_on is None:
            return
        sessions = {each: float(state.session == each) for each in get_args(TradingSession)}
        end = datetime.combine(state.calendar_ends_on, time(), UTC)
        yield gauges_by_label("ingest_market_session", "1 for the session that is open.", "session", sessions)
        yield GaugeMetricFamily(
            "ingest_market_calendar_end_timestamp_seconds",
            "Begin of the last day of the known trading calendar; update Sluice before it.",
            value=end.timestamp(),
        )

    def _write_budget(self) -> Iterator[Metric]:
        """Yield the documents of the day, and the limit and the pace of the job's daily budget if it has one."""
        writes = self._view.snapshot().writes
        if writes is None:
            return
        for name, text, value in (
            (
                "used_documents",
                "Documents written on this day of Los Angeles, by all processes of the job.",
                writes.used,
            ),
            ("limit_documents", "The daily write budget; absent without one.", writes.limit),
            (
                "documents_per_second",
                "The pace that uses up the budget when the last session of the day ends; absent without a budget.",
                writes.documents_per_second,
            ),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"ingest_write_budget_{name}", text, value=value)

    def _destinations(self) -> Iterator[Metric]:
        """Yield the metrics of the destinations besides the document store. There are none without such a destination.

        The other metrics of writes are those of the document store.
        """
        if not (reports := self._view.destination_reports()):
            return
        sent = CounterMetricFamily(
            "ingest_destination_sent", "Data that a destination accepted, by kind.", labels=["destination", "kind"]
        )
        dropped = CounterMetricFamily(
            "ingest_destination_dropped", "Data that is not sent to a destination.", labels=["destination", "kind"]
        )
        failing = GaugeMetricFamily(
            "ingest_destination_failing",
            "1 while a destination accepts nothing, otherwise 0.",
            labels=["destination"],
        )
        last = GaugeMetricFamily(
            "ingest_destination_last_sent_timestamp_seconds",
            "Time at which a destination last accepted data.",
            labels=["destination"],
        )
        for report in reports:
            for kind, count in report.sent.items():
                sent.add_metric([report.name, kind], count)
            for kind, count in report.dropped.items():
                dropped.add_metric([report.name, kind], count)
            failing.add_metric([report.name], float(report.failing_since is not None))
            if report.last_sent_at is not None:
                last.add_metric([report.name], report.last_sent_at.timestamp())
        yield from (sent, dropped, failing, last)
