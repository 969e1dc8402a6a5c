"""The Prometheus metrics of the operator."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# A reconciliation without I/O takes 0.2 ms, one with two requests about 10 ms; above 1 s, something is wrong.
_BUCKETS = (0.0005, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0)


class Metrics:
    """The operator's Prometheus registry, and the methods that update its metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._passes = Histogram(
            "sluice_operator_reconcile_seconds",
            "Duration of reconciliations.",
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._outcomes = Counter(
            "sluice_operator_reconciles", "Reconciliations by outcome: settled, again, or the type of the error.",
            ["outcome"], registry=self.registry,
        )  # fmt: skip
        self._repairs = Counter(
            "sluice_operator_resync_repairs", "Objects that a resync corrected because the watch missed them.",
            ["kind"], registry=self.registry,
        )  # fmt: skip
        self._dropped = Counter(
            "sluice_operator_events_dropped", "Kubernetes Events dropped by rate limiting.", registry=self.registry
        )
        self._refused_writes = Counter(
            "sluice_operator_kopf_writes_refused", "Write requests of kopf that the operator refused.",
            registry=self.registry,
        )  # fmt: skip
        self._undelivered = Gauge(
            "sluice_operator_undelivered_objects", "Objects whose newest state the watch has not delivered for 10 s.",
            ["kind"], registry=self.registry,
        )  # fmt: skip
        self._live_reads = Counter(
            "sluice_operator_live_reads", "Live reads of objects whose watch events are missing.", ["kind"],
            registry=self.registry,
        )  # fmt: skip
        self.loop_lag = Gauge(
            "sluice_operator_loop_lag_seconds",
            "Delay of the event loop in its last measurement.",
            registry=self.registry,
        )

    def record_reconciliation(self, seconds: float, outcome: str) -> None:
        """Record the duration and the outcome of a reconciliation."""
        self._passes.observe(seconds)
        self._outcomes.labels(outcome).inc()

    def count_repairs(self, kind: str, count: int) -> None:
        """Add to the number of objects of a kind that a resync corrected."""
        self._repairs.labels(kind).inc(count)

    def count_dropped_event(self) -> None:
        """Count a Kubernetes Event that was dropped by rate limiting."""
        self._dropped.inc()

    def count_refused_kopf_write(self) -> None:
        """Count a write request that kopf tried to send and the operator refused."""
        self._refused_writes.inc()

    def set_undelivered_objects(self, kind: str, count: int) -> None:
        """Set the number of objects of a kind whose newest state the watch has not delivered for 10 s."""
        self._undelivered.labels(kind).set(count)

    def count_live_reads(self, kind: str, count: int) -> None:
        """Add to the number of live reads of objects of a kind."""
        self._live_reads.labels(kind).inc(count)

    def add_gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a gauge. Each scrape calls `value`."""
        Gauge(f"sluice_operator_{name}", description, registry=self.registry).set_function(value)

    def encode_as_prometheus_text(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)
