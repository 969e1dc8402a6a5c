"""What happened to jobs: one list of entries from their status, from pauses, from pods and from Kubernetes Events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..contract import contract, pod_name
from ..text.instants import short_instant
from .fields import child, instant, number, objects, text
from .fleet import Unseen
from .job import gaps_of_stream, key_of_job, status_of_job
from .pauses import JobKey, PauseObject
from .switches import HeldSwitch, PauseView

KINDS = ("stream", "gap", "pause", "pod", "event")
KEPT_BY_A_JOB = 10  # changes of state, and gaps
NOT_KEPT = "Kubernetes keeps Events for an hour by default, and a pause that was deleted leaves only its gap."

_LEVELS = {
    "Live": "running",
    "Paused": "paused",
    "Finished": "finished",
    "Blocked": "needsAction",
    "BackingOff": "degraded",
}


class Entry(NamedTuple):
    """Something that happened. `what` is the new state, the cause of a gap, a switch, a pod, or an Event's reason.

    `at` is None if nothing says when it began. `until` is the end of a gap or of a pause; None: there is none yet.
    `times` is how often an Event was seen, or how often a state came one after the other.
    """

    at: datetime | None
    namespace: str
    job: str
    kind: str  # one of KINDS
    level: str  # one of LEVELS, or empty
    what: str
    message: str
    by: str = ""
    until: datetime | None = None
    times: int = 1

    @property
    def full_name(self) -> str:
        """Namespace and name of the job."""
        return f"{self.namespace}/{self.job}"

    @property
    def is_open_gap(self) -> bool:
        """Whether it is a gap without an end."""
        return self.kind == "gap" and self.until is None

    @property
    def seconds(self) -> float | None:
        """The length of a gap that has ended; None for everything else."""
        if self.kind != "gap" or self.at is None or self.until is None:
            return None
        return max(0.0, (self.until - self.at).total_seconds())


class History(NamedTuple):
    """The entries, the oldest first; what could not be read; and sentences about what is not kept."""

    at: datetime
    entries: tuple[Entry, ...]
    unseen: tuple[Unseen, ...]
    not_kept: tuple[str, ...]

    def selected(self, since: datetime | None, *, only_gaps: bool) -> History:
        """Return the history with the entries since an instant, and perhaps only the gaps."""
        kept = (each for each in self.entries if not only_gaps or each.kind == "gap")
        not_kept = tuple(each for each in self.not_kept if not only_gaps or " gaps" in each)
        return self._replace(entries=tuple(each for each in kept if _is_since(each, since)), not_kept=not_kept)


class HistorySources(NamedTuple):
    """The objects that a history is built from, as the API server returned them."""

    jobs: Sequence[dict[str, Any]]
    pauses: PauseView
    pods: Sequence[dict[str, Any]]
    events: Sequence[dict[str, Any]]
    unseen: tuple[Unseen, ...]


def history_of(sources: HistorySources, now: datetime) -> History:
    """Return the history of the jobs in `sources`."""
    entries: list[Entry] = []
    not_kept: list[str] = []
    pods = {(text(each, "metadata", "namespace"), text(each, "metadata", "name")): each for each in sources.pods}
    keys = [key_of_job(each) for each in sources.jobs]
    for document, key in zip(sources.jobs, keys):
        pod = pods.get((key.namespace, pod_name(key.name)))
        entries += [*_state_entries(document, key), *_gap_entries(document, key)]
        entries += [*_pause_entries(document, key, sources.pauses, now), *_pod_entries(document, key, pod, now)]
        not_kept += _sentences_about_limits(document, key, now)
    entries += _event_entries(sources.events, keys)
    return History(now, tuple(sorted(entries, key=_order)), sources.unseen, (*not_kept, NOT_KEPT))


def _order(entry: Entry) -> tuple[bool, float, str, int]:
    return (entry.at is None, entry.at.timestamp() if entry.at else 0.0, entry.full_name, KINDS.index(entry.kind))


def _is_since(entry: Entry, since: datetime | None) -> bool:
    if since is None or entry.at is None or entry.is_open_gap:
        return True
    end = entry.until if entry.kind == "gap" and entry.until is not None else entry.at
    return end >= since or (entry.kind == "pause" and (entry.until is None or entry.until >= since))


def _state_entries(document: dict[str, Any], key: JobKey) -> Iterator[Entry]:
    """Yield the changes of state. Attempts that failed in the same way, one after the other, are one entry."""
    last: Entry | None = None
    for each in reversed(objects(document, "status", "stream", "history")):
        state, reason, message = text(each, "state"), text(each, "reason"), text(each, "message")
        said = ": ".join(part for part in (reason, message) if part)
        level = _LEVELS.get(state, "waiting")
        if last is not None and (last.what, last.message) == (state, said):
            last = last._replace(times=last.times + 1)
            continue
        if last is not None:
            yield last
        last = Entry(instant(each, "at"), key.namespace, key.name, "stream", level, state, said)
    if last is not None:
        yield last


def _gap_entries(document: dict[str, Any], key: JobKey) -> Iterator[Entry]:
    for each in gaps_of_stream(child(document, "status", "stream")):
        level = "paused" if each.cause == "pause" else "degraded"
        yield Entry(each.since, key.namespace, key.name, "gap", level, each.cause, "", until=each.until)


def _pause_entries(document: dict[str, Any], key: JobKey, pauses: PauseView, now: datetime) -> Iterator[Entry]:
    """Yield the switches in force. The pod says since when a switch holds that is no object."""
    created = {each.source: each for each in pauses.all_pauses() if each.covers(key)}
    job = status_of_job(document, pauses, now)
    for switch in job.pause.switches if job.pause is not None else ():
        since = job.pause.acknowledged_at if job.pause is not None else None
        yield _pause_entry(key, switch, created.get(switch.source), since, "")
    for each in job.symbols.pauses:
        yield _pause_entry(key, each.switch, created.get(each.switch.source), None, ", ".join(each.symbols))


def _pause_entry(
    key: JobKey, switch: HeldSwitch, pause: PauseObject | None, since: datetime | None, symbols: str
) -> Entry:
    at = pause.created_at if pause is not None and pause.created_at is not None else since
    said = f'"{switch.reason}"' if switch.reason else ""
    message = " · ".join(part for part in (f"symbols {symbols}" if symbols else "", said) if part)
    return Entry(at, key.namespace, key.name, "pause", "paused", switch.source, message, switch.by, switch.until)


def _pod_entries(document: dict[str, Any], key: JobKey, pod: dict[str, Any] | None, now: datetime) -> Iterator[Entry]:
    epoch = number(document, "status", "epoch")
    name = pod_name(key.name)
    began_at = _instant_of_epoch(epoch, now) if pod is None else instant(pod, "metadata", "creationTimestamp")
    if began_at is not None:
        yield Entry(began_at, key.namespace, key.name, "pod", "", name, f"created for epoch {epoch}")
    next_at = instant(document, "status", "restart", "nextAt")
    if next_at is not None and next_at > now:
        count = number(document, "status", "restart", "count") or 0
        message = f"{count} pods were replaced in a row; the operator waits before it creates the next one"
        yield Entry(next_at, key.namespace, key.name, "pod", "degraded", name, message)
    if pod is not None:
        yield from _container_entries(key, name, pod)


def _container_entries(key: JobKey, name: str, pod: dict[str, Any]) -> Iterator[Entry]:
    """Yield the last end of the container, its last restart, and the deletion of the pod."""
    for each in objects(pod, "status", "containerStatuses"):
        if text(each, "name") != contract()["container"]:
            continue
        restarts = number(each, "restartCount") or 0
        for state in ("lastState", "state"):
            ended = child(each, state, "terminated")
            if ended:
                said = f"the container ended with exit code {number(ended, 'exitCode')} ({text(ended, 'reason')})"
                at = instant(ended, "finishedAt")
                yield Entry(at, key.namespace, key.name, "pod", "degraded", name, said)
        started_at = instant(each, "state", "running", "startedAt")
        if restarts and started_at is not None:
            message = f"the container runs again (restart {restarts})"
            yield Entry(started_at, key.namespace, key.name, "pod", "", name, message)
    if (deleted_at := instant(pod, "metadata", "deletionTimestamp")) is not None:
        yield Entry(deleted_at, key.namespace, key.name, "pod", "waiting", name, "is being deleted")


def _instant_of_epoch(epoch: int | None, now: datetime) -> datetime | None:
    """Return when an epoch began: it is the time in milliseconds, unless clocks went back. None if it is no time."""
    if epoch is None or not 1_500_000_000_000 < epoch <= now.timestamp() * 1000:
        return None
    return datetime.fromtimestamp(epoch // 1000, now.tzinfo)


def _event_entries(events: Iterable[dict[str, Any]], keys: Iterable[JobKey]) -> Iterator[Entry]:
    known = {}
    for key in keys:
        known["IngestJob", key.namespace, key.name] = key
        known["Pod", key.namespace, pod_name(key.name)] = key
    for event in events:
        about = child(event, "involvedObject")
        named = known.get((text(about, "kind"), text(about, "namespace"), text(about, "name")))
        if named is None:
            continue
        level = "degraded" if text(event, "type") == "Warning" else ""
        at = instant(event, "series", "lastObservedTime") or instant(event, "lastTimestamp")
        at = at or instant(event, "eventTime") or instant(event, "metadata", "creationTimestamp")
        times = number(event, "series", "count") or number(event, "count") or 1
        reason, message = text(event, "reason"), text(event, "message")
        yield Entry(at, named.namespace, named.name, "event", level, reason, message, times=times)


def _sentences_about_limits(document: dict[str, Any], key: JobKey, now: datetime) -> Iterator[str]:
    """Yield since when a job keeps its changes of state and its gaps, if it has dropped earlier ones perhaps."""
    for field, words, begin in (("history", "changes of state", "at"), ("gaps", "gaps", "from")):
        kept = [each for each in (instant(one, begin) for one in objects(document, "status", "stream", field)) if each]
        if len(kept) >= KEPT_BY_A_JOB:
            since = short_instant(min(kept), now)
            yield f"{key.namespace}/{key.name} keeps its last {KEPT_BY_A_JOB} {words}: the first one is of {since}."
