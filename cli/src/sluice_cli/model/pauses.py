"""IngestPauses and ClusterIngestPauses as values: what they cover, why, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from .fields import child, instant, number, objects, text, texts
from .selector import Requirement, selector_of_document, selects

PAUSE, CLUSTER_PAUSE = "IngestPause", "ClusterIngestPause"


class JobKey(NamedTuple):
    """What decides whether a pause covers a job."""

    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...] = ()
    provider: str = ""
    feed: str = ""
    symbols: tuple[str, ...] = ()


class PauseObject(NamedTuple):
    """An IngestPause, or a ClusterIngestPause, whose `namespace` is empty."""

    kind: str
    namespace: str
    name: str
    jobs: tuple[str, ...] | None
    selector: frozenset[Requirement] | None
    providers: tuple[tuple[str, tuple[str, ...]], ...] | None  # each with its feeds; without feeds: all
    symbols: tuple[str, ...]  # empty: the whole job
    reason: str
    by: str
    until: datetime | None
    created_at: datetime | None
    acknowledged: str  # such as 11/12, as the operator reports it; empty if it does not
    waiting_for: tuple[str, ...]
    is_acknowledged: bool  # by the condition of the operator, for this generation
    covers_nothing: bool

    @property
    def source(self) -> str:
        """The name of the switch in the status of a job."""
        return f"{'clusterpause' if self.kind == CLUSTER_PAUSE else 'pause'}:{self.name}"

    def is_in_force(self, now: datetime) -> bool:
        """Return whether the pause has not ended."""
        return self.until is None or self.until > now

    def covers(self, job: JobKey) -> bool:
        """Return whether the pause covers a job, or at least one symbol of it. The time is not considered."""
        if self.symbols and not set(self.symbols) & set(job.symbols):
            return False
        if self.kind == CLUSTER_PAUSE:
            return self.providers is None or any(
                name == job.provider and (not feeds or job.feed in feeds) for name, feeds in self.providers
            )
        if job.namespace != self.namespace:
            return False
        if self.jobs is None and self.selector is None:
            return True
        is_selected = self.selector is not None and selects(self.selector, dict(job.labels))
        return is_selected or job.name in (self.jobs or ())


def pause_of(document: dict[str, Any]) -> PauseObject:
    """Return the value of an object of one of the two kinds."""
    spec = child(document, "spec")
    conditions = {text(each, "type"): each for each in objects(document, "status", "conditions")}
    acknowledged = conditions.get("Acknowledged", {})
    is_current = number(acknowledged, "observedGeneration") == number(document, "metadata", "generation")
    return PauseObject(
        kind=text(document, "kind"),
        namespace=text(document, "metadata", "namespace"),
        name=text(document, "metadata", "name"),
        jobs=texts(spec, "jobs") if "jobs" in spec else None,
        selector=selector_of_document(child(spec, "jobSelector")) if "jobSelector" in spec else None,
        providers=tuple((text(each, "name"), texts(each, "feeds")) for each in objects(spec, "providers"))
        if "providers" in spec
        else None,
        symbols=texts(spec, "symbols"),
        reason=text(spec, "reason"),
        by=text(spec, "by"),
        until=instant(spec, "until"),
        created_at=instant(document, "metadata", "creationTimestamp"),
        acknowledged=text(document, "status", "acknowledged"),
        waiting_for=texts(document, "status", "waitingFor"),
        is_acknowledged=is_current and text(acknowledged, "status") == "True",
        covers_nothing=is_current and text(acknowledged, "reason") == "NothingSelected",
    )
