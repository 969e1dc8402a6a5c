"""The Prometheus metrics of the operator."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sluice_contract import identity

from .domain.denial_causes import DENIAL_REASONS, POLICIES
from .ports import CLUSTER_ERRORS
from .rollout_metrics import RolloutCollector, RolloutCounts

# A reconciliation without I/O takes 0.2 ms, one with two requests about 10 ms; above 1 s, something is wrong.
_BUCKETS = (0.0005, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0)

_DIGEST_CHARACTERS = 12
_KINDS = (identity.PLURAL, "pods", identity.PAUSES, identity.CLUSTER_PAUSES)
_OUTCOMES = ("settled", "again", *(each.__name__ for each in CLUSTER_ERRORS))


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
        self._denials = Counter(
            "sluice_operator_denials",
            "Denials by cause: the policy that refused a request of the operator, or the reason why it creates no pod.",
            ["cause"], registry=self.registry,
        )  # fmt: skip
        self.loop_lag = Gauge(
            "sluice_operator_loop_lag_seconds",
            "Delay of the event loop in its last measurement.",
            registry=self.registry,
        )
        self._text_sources: list[Callable[[], Iterable[bytes]]] = []
        self._create_series_at_zero()
        ProcessCollector(registry=self.registry)
        build = Gauge(
            "sluice_operator_build_info", "1, with the versions of Sluice and of Python.", ["version", "python"],
            registry=self.registry,
        )  # fmt: skip
        build.labels(version("sluice-operator"), platform.python_version()).set(1)

    def _create_series_at_zero(self) -> None:
        """Create the series of each value of a label, so that `increase()` does not miss the first event.

        The types of unexpected errors, as outcomes, are not known before.
        """
        for outcome in _OUTCOMES:
            self._outcomes.labels(outcome)
        for kind in _KINDS:
            for metric in (self._repairs, self._undelivered, self._live_reads):
                metric.labels(kind)
        for cause in sorted({*DENIAL_REASONS, *POLICIES}):
            self._denials.labels(cause)

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

    def count_denial(self, cause: str) -> None:
        """Count a request that this policy refused, or a job for which the operator creates no pod for this reason."""
        self._denials.labels(cause).inc()

    def add_gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a gauge. Each scrape calls `value`."""
        Gauge(f"sluice_operator_{name}", description, registry=self.registry).set_function(value)

    def add_gauge_by_kind(self, name: str, description: str, values: Callable[[], Mapping[str, float]]) -> None:
        """Add a gauge with a value for each kind of objects. Each scrape calls `values`."""
        self.registry.register(_GaugeByKind(f"sluice_operator_{name}", description, values))

    def add_shared_keys(self, namespaces_by_digest: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        """Add the gauge of providers' keys that several namespaces use. Each scrape calls the function."""
        self.registry.register(_SharedKeysCollector(namespaces_by_digest))

    def add_rollouts(self, counts_by_cause: Callable[[], dict[str, RolloutCounts]]) -> None:
        """Add the gauges of rollouts. Each scrape calls the function."""
        self.registry.register(RolloutCollector(counts_by_cause))

    def add_text(self, parts: Callable[[], Iterable[bytes]]) -> None:
        """Add metrics that are written as text. Each scrape calls `parts`."""
        self._text_sources.append(parts)

    def prometheus_text_parts(self) -> Iterator[bytes]:
        """Yield all metrics in the Prometheus text format, in parts: those of jobs can be tens of megabytes."""
        yield generate_latest(self.registry)
        for parts in self._text_sources:
            yield from parts()

    def encode_as_prometheus_text(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return b"".join(self.prometheus_text_parts())


class _GaugeByKind(Collector):
    """Collects a value for each kind of objects, by its plural."""

    def __init__(self, name: str, description: str, values: Callable[[], Mapping[str, float]]) -> None:
        self._name = name
        self._description = description
        self._values = values

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._description, labels=["kind"])
        for kind, value in self._values().items():
            family.add_metric([kind], value)
        yield family


class _SharedKeysCollector(Collector):
    """Collects a value for each namespace that uses a key of a provider which another namespace uses too."""

    def __init__(self, namespaces_by_digest: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        self._namespaces_by_digest = namespaces_by_digest

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "sluice_operator_key_shared",
            "1 for each namespace that uses a key of a provider which another namespace uses too. `key` is the start "
            "of the key's digest.",
            labels=["key", "namespace"],
        )
        for digest, namespaces in self._namespaces_by_digest().items():
            for namespace in namespaces:
                family.add_metric([digest[:_DIGEST_CHARACTERS], namespace], 1.0)
        yield family
