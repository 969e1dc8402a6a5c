"""The metrics of durations: of quotes, requests, pauses, gaps, and states of the stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sluice_contract.status import GapCause

from ...view_ports import RuntimeView
from .metric_families import add_histogram, counters_by_label


class DurationCollector(Collector):
    """Collects what the process has measured. The histograms are those of the domain, in prometheus_client's form."""

    def __init__(self, view: RuntimeView) -> None:
        self._view = view

    def describe(self) -> Iterator[Metric]:
        """Describe nothing, so that the registration reads no state."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from self._quote_histograms()
        yield from self._other_histograms()
        yield from self._state_times()
        yield from self._gaps_and_pauses()

    def _quote_histograms(self) -> Iterator[Metric]:
        quotes, provider = self._view.measurements.quotes, self._view.snapshot().provider_label
        for name, description, histogram in (
            (
                "ingest_event_to_receive_seconds",
                "Time from a quote's event, by the provider's clock, to its arrival, by this node's. At most 100 "
                "frames a second are measured; each stands for the quotes since the one before.",
                quotes.event_to_receive,
            ),
            (
                "ingest_event_to_write_seconds",
                "Time from a quote's event, by the provider's clock, to Firestore's acknowledgement, by this node's. "
                "Quotes of snapshots, and refreshes of unchanged documents, are not measured.",
                quotes.event_to_write,
            ),
        ):
            family = HistogramMetricFamily(name, description, labels=["provider"])
            add_histogram(family, histogram, [provider])
            yield family

    def _other_histograms(self) -> Iterator[Metric]:
        requests = HistogramMetricFamily(
            "ingest_firestore_request_seconds",
            "Time until Firestore answered a request, or until it failed, by kind of request.",
            labels=["kind"],
        )
        for kind, histogram in self._view.measurements.store_requests.items():
            add_histogram(requests, histogram, [kind])
        pauses = HistogramMetricFamily(
            "ingest_pause_seconds",
            "Time from the moment that the pod knows of a pause to its acknowledgement: the socket is closed, and no "
            "quote is written any more.",
        )
        add_histogram(pauses, self._view.measurements.pauses.seconds_to_acknowledgement)
        yield from (requests, pauses)

    def _state_times(self) -> Iterator[Metric]:
        states, now = self._view.measurements.states, self._view.snapshot().at
        yield counters_by_label(
            "ingest_stream_state_seconds",
            "Time that the stream has been in each state, including the current one.",
            "state",
            states.seconds_by_state(now),
        )
        if states.since is not None:
            yield GaugeMetricFamily(
                "ingest_stream_state_since_timestamp_seconds",
                "Time at which the current state of the stream began.",
                value=states.since.timestamp(),
            )

    def _gaps_and_pauses(self) -> Iterator[Metric]:
        counters, causes = self._view.counters, get_args(GapCause)
        yield counters_by_label(
            "ingest_gaps",
            "Gaps of the stream that have ended, by cause.",
            "cause",
            {cause: counters.gaps.get(cause, 0) for cause in causes},
        )
        yield counters_by_label(
            "ingest_gap_seconds",
            "Duration of the gaps of the stream that have ended, by cause.",
            "cause",
            {cause: counters.gap_seconds.get(cause, 0.0) for cause in causes},
        )
        yield CounterMetricFamily(
            "ingest_paused_seconds",
            "Time that a switch has paused the job, including the current pause.",
            value=self._view.measurements.pauses.paused_seconds(self._view.snapshot().at),
        )
