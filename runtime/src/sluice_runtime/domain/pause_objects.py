"""The pause objects that concern this job: IngestPauses of its namespace, and ClusterIngestPauses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from sluice_contract.identity import UNREADABLE_SOURCE
from sluice_contract.label_selector import LabelSelector
from sluice_contract.pause_reading import read_cluster_pause_spec, read_pause_spec
from sluice_contract.pause_sources import cluster_pause_source, pause_source
from sluice_contract.pauses import ClusterIngestPauseSpec, IngestPauseSpec

from .pause import Switch, SymbolPause, has_ended, to_utc

# Of one kind. Far more than a namespace has: it bounds the memory of a pod, at about 14 kB for the largest pause.
MAX_PAUSES = 250


class PauseObject(msgspec.Struct, frozen=True, kw_only=True):
    """An IngestPause or a ClusterIngestPause that concerns this job, or can concern it with other labels.

    `selector` selects the job by its labels; None if the pause concerns the job whatever its labels are. `symbols` are
    the symbols to pause; None for the whole job. `problem` is a sentence about a field that is not understood, which
    then does not limit the pause.
    """

    source: str
    selector: LabelSelector | None = None
    symbols: tuple[str, ...] | None = None
    reason: str
    until: datetime | None = None
    by: str | None = None
    problem: str = ""

    def concerns_job_with(self, labels: Mapping[str, str]) -> bool:
        """Return whether the pause concerns this job while it has these labels."""
        return self.selector is None or self.selector.matches(labels)


class PausesOfKind(msgspec.Struct, frozen=True, kw_only=True):
    """The pause objects of one kind, as far as the pod could read them.

    `are_read` is False until the API server has answered for the first time. `has_too_many` is True if more than
    `MAX_PAUSES` of them could concern the job; `pauses` then lacks some. `problem` is a sentence that says why they can
    not be read now; `pauses` are then those that were read last.
    """

    are_read: bool = True
    pauses: tuple[PauseObject, ...] = ()
    has_too_many: bool = False
    problem: str = ""


class KnownPauses(msgspec.Struct, frozen=True, kw_only=True):
    """The pause objects of both kinds."""

    of_cluster: PausesOfKind = PausesOfKind()
    of_namespace: PausesOfKind = PausesOfKind()

    @property
    def are_read(self) -> bool:
        """Whether the pauses of both kinds are known, so that the job may stream."""
        return self.of_cluster.are_read and self.of_namespace.are_read

    @property
    def problem(self) -> str:
        """Why pauses cannot be read, as one sentence for each kind; empty if they can."""
        return " ".join(each.problem for each in (self.of_cluster, self.of_namespace) if each.problem)


NO_PAUSES = KnownPauses()


class OutsideSwitches(msgspec.Struct, frozen=True, kw_only=True):
    """What can pause the job besides the IngestJob itself: the switches of the pod, and the pause objects."""

    of_pod: tuple[Switch, ...] = ()
    pauses: KnownPauses = NO_PAUSES


NOTHING_OUTSIDE = OutsideSwitches()


def pause_of_job(name: str, raw_spec: object, job: str) -> PauseObject | None:
    """Return the IngestPause of this name and spec; None if it cannot concern `job`, whatever the job's labels are."""
    reading = read_pause_spec(raw_spec)
    spec = reading.spec
    is_named = spec.jobs is not None and job in spec.jobs
    selector = None if is_named else spec.job_selector
    if selector is None and not spec.covers_job(job, {}):
        return None
    problem = f"IngestPause {name}: {reading.problem}" if reading.problem else ""
    return _pause_object(pause_source(name), spec, selector, problem)


def pause_of_feed(name: str, raw_spec: object, provider: str, feed: str | None) -> PauseObject | None:
    """Return the ClusterIngestPause of this name and spec; None if it does not concern this feed of the provider."""
    reading = read_cluster_pause_spec(raw_spec)
    if not reading.spec.covers_feed(provider, feed):
        return None
    problem = f"ClusterIngestPause {name}: {reading.problem}" if reading.problem else ""
    return _pause_object(cluster_pause_source(name), reading.spec, None, problem)


def switches_of_pauses(known: KnownPauses, labels: Mapping[str, str]) -> tuple[Switch, ...]:
    """Return a switch for each pause object that pauses the whole job while the job has these labels."""
    return tuple(_switch(each) for each in _pauses_of_job(known, labels) if each.symbols is None) + tuple(
        Switch(
            source=UNREADABLE_SOURCE,
            pauses=True,
            reason=f"more than {MAX_PAUSES} {kind} may concern the job, so not all are read; delete those that ended",
        )
        for kind, pauses in (("ClusterIngestPauses", known.of_cluster), ("IngestPauses", known.of_namespace))
        if pauses.has_too_many
    )


def symbol_pauses_in_force(known: KnownPauses, labels: Mapping[str, str], now: datetime) -> dict[str, SymbolPause]:
    """Return what pauses single symbols at `now`, by symbol. Of several pauses of a symbol, it is the first."""
    found: dict[str, SymbolPause] = {}
    for each in _pauses_of_job(known, labels):
        if each.symbols is None or has_ended(each.until, now):
            continue
        pause = SymbolPause(source=each.source, reason=each.problem or each.reason, by=each.by)
        for symbol in each.symbols:
            found.setdefault(symbol, pause)
    return found


def ends_of_pauses(known: KnownPauses) -> Iterator[datetime]:
    """Yield the end of each pause object that has one."""
    for each in (*known.of_cluster.pauses, *known.of_namespace.pauses):
        if each.until is not None:
            yield each.until


def _pause_object(
    source: str,
    spec: IngestPauseSpec | ClusterIngestPauseSpec,
    selector: LabelSelector | None,
    problem: str,
) -> PauseObject:
    return PauseObject(
        source=source,
        selector=selector,
        symbols=tuple(spec.symbols) if spec.symbols is not None else None,
        reason=spec.reason,
        until=to_utc(spec.until) if spec.until is not None else None,
        by=spec.by,
        problem=problem,
    )


def _pauses_of_job(known: KnownPauses, labels: Mapping[str, str]) -> Iterator[PauseObject]:
    """Yield the pause objects that concern the job, those of the cluster first, each kind in the order of names."""
    for kind in (known.of_cluster, known.of_namespace):
        for each in sorted(kind.pauses, key=lambda pause: pause.source):
            if each.concerns_job_with(labels):
                yield each


def _switch(pause: PauseObject) -> Switch:
    if pause.problem:
        return Switch(source=UNREADABLE_SOURCE, pauses=True, reason=pause.problem, until=pause.until)
    return Switch(source=pause.source, pauses=True, reason=pause.reason, until=pause.until, by=pause.by)
