"""The status of many jobs: the worst first, with a summary and with what could not be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..contract import contract
from .fields import instant, number, text
from .job import JobStatus
from .pauses import PauseObject, pause_of
from .state import LEVELS, PROBLEMS
from .switches import PauseView

# A heartbeat so far in the future means that this machine's clock is behind.
SKEW_SECONDS = 5.0

_NAMES = {
    "needsAction": ("needs you", "need you"),
    "degraded": ("degraded", "degraded"),
    "waiting": ("on its way", "on their way"),
    "warning": ("running with a warning", "running with warnings"),
    "paused": ("paused", "paused"),
    "running": ("running", "running"),
    "finished": ("finished", "finished"),
}


class Unseen(NamedTuple):
    """What the plugin could not read, and why."""

    what: str
    why: str


class Operator(NamedTuple):
    """The leading replica of the operator, by its Lease."""

    holder: str  # empty: no replica leads
    renewed_at: datetime | None
    is_leading: bool
    version: str = ""  # empty: an older operator does not say it


class StatusList(NamedTuple):
    """The jobs, the worst first. `operator` is None if it could not be seen."""

    at: datetime
    jobs: tuple[JobStatus, ...]
    operator: Operator | None
    unseen: tuple[Unseen, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The number of jobs of each level, the worst level first."""
        found = Counter(each.state.level for each in self.jobs)
        return {level: found[level] for level in LEVELS if found[level]}

    @property
    def has_problem(self) -> bool:
        """Whether a job does not do what its document says, or no operator leads."""
        is_leaderless = self.operator is not None and not self.operator.is_leading
        return is_leaderless or any(each.state.level in PROBLEMS for each in self.jobs)

    @property
    def clock_lag_seconds(self) -> float:
        """How far this machine's clock is behind that of the nodes; 0 if it is not noticeable."""
        ahead = [(each.heartbeat_at - self.at).total_seconds() for each in self.jobs if each.heartbeat_at]
        return max(ahead) if ahead and max(ahead) > SKEW_SECONDS else 0.0


def summary_text(counts: Mapping[str, int]) -> str:
    """Return the numbers of jobs as text, such as `4 jobs: 1 needs you, 3 running`."""
    total = sum(counts.values())
    parts = ", ".join(f"{count} {_NAMES[level][count > 1]}" for level, count in counts.items())
    return f"{total} {'job' if total == 1 else 'jobs'}: {parts}"


def sorted_by_urgency(jobs: Iterable[JobStatus]) -> tuple[JobStatus, ...]:
    """Return the jobs, the worst first, and those of one level by their names."""
    return tuple(sorted(jobs, key=lambda each: (LEVELS.index(each.state.level), each.full_name)))


def pause_view(objects: Mapping[str, list[dict[str, Any]]], unseen: Mapping[str, str]) -> PauseView:
    """Return the pauses of a listing. A kind that may not be listed is absent, one that is not served is empty."""
    kinds: dict[str, tuple[PauseObject, ...]] = {}
    for kind in ("IngestPause", "ClusterIngestPause"):
        if kind in objects and "may not" not in unseen.get(kind, ""):
            kinds[kind] = tuple(map(pause_of, objects[kind]))
    return PauseView(kinds)


def operator_of_lease(lease: dict[str, Any], now: datetime) -> Operator:
    """Return who leads, by the Lease of the operator."""
    holder = text(lease, "spec", "holderIdentity").rpartition("_")[0] or text(lease, "spec", "holderIdentity")
    renewed_at = instant(lease, "spec", "renewTime")
    duration = number(lease, "spec", "leaseDurationSeconds") or 15
    is_recent = renewed_at is not None and (now - renewed_at).total_seconds() <= 2 * duration
    version = text(lease, "metadata", "annotations", contract()["operatorVersionAnnotation"])
    return Operator(holder, renewed_at, bool(holder) and is_recent, version)
