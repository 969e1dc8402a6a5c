"""The Prometheus metrics of rollouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class RolloutCounts(msgspec.Struct, frozen=True):
    """The jobs of all rollouts of one cause, and the number of these rollouts that have stopped."""

    outdated: int = 0
    in_progress: int = 0
    unavailable: int = 0
    overdue: int = 0
    stopped: int = 0


_GAUGES = {
    "outdated": ("pods_outdated", "Pods that wait for their replacement, after a change of this cause."),
    "in_progress": ("jobs_in_progress", "Jobs whose pods were replaced and that are not ready again."),
    "unavailable": ("jobs_unavailable", "Jobs that streamed until their pods were replaced and are not ready again."),
    "overdue": ("jobs_overdue", "Jobs that are not ready in time after the replacement of their pods."),
    "stopped": ("stopped", "Rollouts that replace no further pod, because too many jobs are overdue."),
}


class RolloutCollector(Collector):
    """Collects the counts of rollouts by cause: Operator (its image or settings) and Spec (cold fields of jobs)."""

    def __init__(self, counts_by_cause: Callable[[], dict[str, RolloutCounts]]) -> None:
        self._counts_by_cause = counts_by_cause

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counts_by_cause = self._counts_by_cause()
        for field, (name, description) in _GAUGES.items():
            family = GaugeMetricFamily(f"sluice_operator_rollout_{name}", description, labels=["cause"])
            for cause, counts in counts_by_cause.items():
                family.add_metric([cause], getattr(counts, field))
            yield family
