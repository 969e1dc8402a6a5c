"""The switches that pause a job: those that objects declare, and those that only its pod knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from ..contract import switch_of_source
from ..text.instants import short_instant
from .fields import child, flag, instant, objects, text
from .pauses import CLUSTER_PAUSE, PAUSE, JobKey, PauseObject

# What the API server stores itself: without it, an earlier report of a pod about it is outdated.
_STORED = ("pause:", "clusterpause:", "spec.")


class HeldSwitch(NamedTuple):
    """A switch that pauses a job, and how to end it. `command` is empty where none helps."""

    source: str
    reason: str
    by: str
    until: datetime | None
    ends: str
    command: str

    def describe(self, now: datetime) -> str:
        """Return the switch, who paused and why, and its end."""
        words = f'{self.by}: "{self.reason}"' if self.by and self.reason else self.by or f'"{self.reason}"'
        given = f" ({words})" if self.by or self.reason else ""
        end = f" until {short_instant(self.until, now)}" if self.until else ", without an end"
        return f"{self.source}{given}{end}"


class PauseView(NamedTuple):
    """The pause objects that could be read, by kind; a kind that could not be read is absent."""

    by_kind: dict[str, tuple[PauseObject, ...]]

    def whole_job(self, job: JobKey, now: datetime) -> Iterator[PauseObject]:
        """Yield the pauses in force that cover the whole job."""
        return (each for each in self.all_pauses() if not each.symbols and each.is_in_force(now) and each.covers(job))

    def of_symbols(self, job: JobKey, now: datetime) -> Iterator[PauseObject]:
        """Yield the pauses in force that cover symbols of the job."""
        return (each for each in self.all_pauses() if each.symbols and each.is_in_force(now) and each.covers(job))

    def all_pauses(self) -> Iterator[PauseObject]:
        """Yield the pauses of both kinds."""
        for pauses in self.by_kind.values():
            yield from pauses

    def knows(self, source: str) -> bool:
        """Return whether the objects of the switch with this name could be read."""
        kind = {"pause:": PAUSE, "clusterpause:": CLUSTER_PAUSE}.get(source.partition(":")[0] + ":")
        return kind is None or kind in self.by_kind


def switches_of_job(document: dict[str, Any], job: JobKey, pauses: PauseView, now: datetime) -> tuple[HeldSwitch, ...]:
    """Return the switches that pause the job, in the order in which to ask their owners.

    The objects decide about the switches that they declare. The report of the pod adds those in the pod, and those of
    objects that could not be read.
    """
    found = {each.source: each for each in _declared_switches(document, job, pauses, now)}
    for each in _reported_switches(document, job):
        is_declared = each.source.startswith(_STORED) and pauses.knows(each.source)
        if not is_declared and each.source not in found and (each.until is None or each.until > now):
            found[each.source] = each
    return tuple(sorted(found.values(), key=lambda each: _position(each, job)))


def _position(switch: HeldSwitch, job: JobKey) -> tuple[int, str]:
    return switch_of_source(switch.source, job.namespace, job.name).position, switch.source


def _declared_switches(document: dict[str, Any], job: JobKey, pauses: PauseView, now: datetime) -> Iterator[HeldSwitch]:
    for each in pauses.whole_job(job, now):
        yield held_switch(job, each.source, each.reason, each.by, each.until)
    if flag(document, "spec", "enabled") is False:
        yield held_switch(job, "spec.enabled")
    pause = child(document, "spec").get("pause")
    until = instant(pause, "until")
    if isinstance(pause, dict) and (until is None or until > now):
        yield held_switch(job, "spec.pause", text(pause, "reason"), until=until)


def _reported_switches(document: dict[str, Any], job: JobKey) -> Iterable[HeldSwitch]:
    pause = child(document, "status", "stream", "pause")
    reported = objects(pause, "sources") or ([pause] if pause else [])  # an earlier version reports only the first one
    for each in reported:
        source = text(each, "source")
        yield held_switch(job, source, text(each, "reason"), text(each, "by"), instant(each, "until"))


def held_switch(job: JobKey, source: str, reason: str = "", by: str = "", until: datetime | None = None) -> HeldSwitch:
    """Return the switch of a source that pauses a job, with how to end it."""
    switch = switch_of_source(source, job.namespace, job.name)
    return HeldSwitch(source, reason, by, until, switch.ends, switch.command)
