"""The metrics of the present state: of the stream, of the writes, of the heartbeat, and of the symbols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sluice_contract.status import StreamState
from sluice_contract.symbol_counts import FreshnessCounts

from ...state.sink_health import WRITE_KINDS
from ...view_ports import RuntimeView
from .metric_families import gauges_by_label


class StateCollector(Collector):
    """Collects for each state whether it is the present one, or how many symbols are in it."""

    def __init__(self, view: RuntimeView) -> None:
        self._view = view

    def describe(self) -> Iterator[Metric]:
        """Describe nothing, so that the registration reads no state."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        snapshot = self._view.snapshot()
        yield gauges_by_label(
            "ingest_stream_state",
            "1 for the state that the stream is in, 0 for each other.",
            "state",
            {state: float(state == snapshot.state) for state in get_args(StreamState)},
        )
        counts = snapshot.freshness.counts if snapshot.freshness is not None else None
        yield gauges_by_label(
            "ingest_freshness_symbols",
            "Declared symbols in each state of freshness; 0 in all of them before the first check.",
            "state",
            {state: getattr(counts, state, 0) for state in FreshnessCounts.__struct_fields__},
        )
        failing = self._view.failing_writes
        yield gauges_by_label(
            "ingest_sink_healthy",
            "1 unless the last write of this kind to Firestore failed.",
            "what",
            {what: float(what not in failing) for what in WRITE_KINDS},
        )
        heartbeat_at = self._view.measurements.heartbeat_at or snapshot.identity.started_at
        yield GaugeMetricFamily(
            "ingest_heartbeat_timestamp_seconds",
            "Time of the last heartbeat that Firestore acknowledged; before the first one, the start of the process.",
            value=heartbeat_at.timestamp(),
        )
        yield GaugeMetricFamily(
            "ingest_write_cap_documents_per_second",
            "The sustained number of quote documents that the job may write per second.",
            value=snapshot.desired.limits.writes_per_second,
        )
