"""The runtime's figures for Prometheus: read when they are asked for, at no cost before."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...ports import RuntimeView

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(record: RuntimeView) -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_RecordCollector(record))
    return generate_latest(registry)


class _RecordCollector(Collector):
    def __init__(self, record: RuntimeView) -> None:
        self._record = record

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        yield from self._labelled_counters()
        yield from self._gauges()

    def _counters(self) -> Iterator[Metric]:
        counters, coalescer = self._record.counters, self._record.coalescer
        for name, text, value in (
            ("ingest_batches", "Times that quotes were taken in, one or many at once.", counters.batches),
            ("ingest_quotes_received", "Quotes of wanted symbols received.", coalescer.received),
            ("ingest_quotes_coalesced", "Quotes overtaken by a newer one before a write.", coalescer.coalesced),
            ("ingest_quotes_out_of_order", "Quotes dropped as older than one seen before.", coalescer.out_of_order),
            ("ingest_quotes_unwanted", "Quotes dropped as of a symbol not wanted.", coalescer.unwanted),
            ("ingest_quotes_written", "Quote documents that Firestore acknowledged.", counters.writes),
            ("paused_by_flag", "Times that a symbol was paused by pausedSymbols.", counters.paused_by_flag),
        ):
            yield CounterMetricFamily(name, text, value=value)

    def _labelled_counters(self) -> Iterator[Metric]:
        counters, provider = self._record.counters, self._record.snapshot().identity.provider
        starts = CounterMetricFamily("ingest_starts", "Times that the stream went live.", labels=["provider"])
        starts.add_metric([provider], counters.starts)
        stops = CounterMetricFamily("ingest_stops", "Times that it was stopped.", labels=["provider", "reason"])
        for reason, count in counters.stops.items():
            stops.add_metric([provider, reason], count)
        errors = CounterMetricFamily("ingest_errors", "Failures, by stage.", labels=["provider", "stage"])
        for stage, count in counters.errors.items():
            errors.add_metric([provider, stage], count)
        suppressed = CounterMetricFamily("ingest_writes_suppressed", "Writes not made.", labels=["reason"])
        for reason, count in counters.suppressed.items():
            suppressed.add_metric([reason], count)
        yield from (starts, stops, errors, suppressed)

    def _gauges(self) -> Iterator[Metric]:
        snapshot = self._record.snapshot()
        active = GaugeMetricFamily("ingest_active", "1 while the stream is live.", labels=["provider"])
        active.add_metric([snapshot.identity.provider], float(snapshot.state == "Live"))
        paused = GaugeMetricFamily(
            "ingest_paused", "1 while a switch pauses.", value=snapshot.desired.pause is not None
        )
        ledger = snapshot.ledger.against(snapshot.desired)
        symbols = GaugeMetricFamily("ingest_symbols", "Declared symbols, by what became of them.", labels=["state"])
        for state in ("confirmed", "pending", "paused", "rejected"):
            symbols.add_metric([state], getattr(ledger, state))
        waiting = GaugeMetricFamily(
            "ingest_quotes_waiting", "Symbols that wait to be written.", value=len(self._record.coalescer)
        )
        yield from (active, paused, symbols, waiting)
        clocks = snapshot.clocks
        for name, text, clock in (
            ("loop_tick", "the flush loop last turned", clocks.loop_tick_at),
            ("last_message", "the provider last sent anything", clocks.last_message_at),
            ("last_quote", "the last quote happened", clocks.last_quote_ts),
            ("last_write", "Firestore last acknowledged a quote", clocks.last_write_at),
        ):
            if clock is not None:
                yield GaugeMetricFamily(f"ingest_{name}_timestamp_seconds", f"When {text}.", value=clock.timestamp())
