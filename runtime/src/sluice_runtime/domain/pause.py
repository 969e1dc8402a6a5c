"""The switches that can pause a job. All of them are inputs of one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime

import msgspec

from sluice_contract.identity import DELETED_SOURCE, UNREADABLE_SOURCE
from sluice_contract.pod import SWITCHED_OFF, SWITCHED_ON
from sluice_contract.spec import PausedSymbol

from .declared_job import DeclaredJob

API = "api"
AUTO_STOP = "autoStop"
GONE = DELETED_SOURCE
JOB_SOURCE_PREFIX = "cr:"  # of the source of a pause by the IngestJob itself: cr:namespace/name

_STOP_REASON_BY_SOURCE = {AUTO_STOP: "auto_stop", GONE: "deleted"}
_OTHER_STOP_REASON = "operator_request"
STOP_REASONS = (_OTHER_STOP_REASON, *_STOP_REASON_BY_SOURCE.values())  # all values of `PauseInForce.stop_reason`

_FIRST, _LAST = datetime(MINYEAR, 1, 1, tzinfo=UTC), datetime(MAXYEAR, 12, 31, 23, 59, 59, tzinfo=UTC)


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one switch that can pause the job. With `until`, it pauses only before that instant."""

    source: str
    pauses: bool
    reason: str | None = None
    until: datetime | None = None


class PauseInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The pause in force: the switch that caused it, its reason, and when it ends by itself."""

    source: str
    reason: str | None = None
    until: datetime | None = None

    @property
    def stop_reason(self) -> str:
        """The label `reason` of the metric `ingest_stops_total` when this pause stops the stream."""
        return _STOP_REASON_BY_SOURCE.get(self.source, _OTHER_STOP_REASON)


def pause_in_force(switches: Sequence[Switch], now: datetime) -> PauseInForce | None:
    """Return the pause of the first switch that pauses at `now`; None if none does."""
    for each in switches:
        if each.pauses and not _has_ended(each.until, now):
            return PauseInForce(source=each.source, reason=each.reason, until=each.until)
    return None


def pausing_sources(switches: Sequence[Switch], now: datetime) -> tuple[str, ...]:
    """Return the sources of all switches that pause at `now`, without duplicates."""
    return tuple(dict.fromkeys(each.source for each in switches if each.pauses and not _has_ended(each.until, now)))


def with_switch(switches: Sequence[Switch], changed: Switch) -> tuple[Switch, ...]:
    """Return the switches that pause the job after one of them has changed."""
    known = {each.source: each for each in switches} | {changed.source: changed}
    return tuple(each for each in known.values() if each.pauses)


def parse_on_or_off(text: str) -> bool:
    """Return True for a text that means on, and False for one that means off.

    Raises:
        ValueError: the text means neither. A user who wrote "halt" must not believe that the feed has stopped.
    """
    said = text.strip().lower()
    if said not in (*SWITCHED_ON, *SWITCHED_OFF):
        raise ValueError(f"{text.strip()!r} is neither on nor off; use 1, true, on, yes or 0, false, off, no")
    return said in SWITCHED_ON


def switches_of_job(job: DeclaredJob) -> tuple[Switch, ...]:
    """Return the switches of the IngestJob itself: its deletion, and its stop fields."""
    source = f"{JOB_SOURCE_PREFIX}{job.metadata.namespace}/{job.metadata.name}"
    pause = job.stops.pause
    reason = (pause.reason or None) if pause else None
    deleted = job.metadata.deletion_timestamp is not None
    return (
        Switch(source=GONE, pauses=deleted, reason="the IngestJob is being deleted"),
        Switch(source=UNREADABLE_SOURCE, pauses=bool(job.stops.problem), reason=job.stops.problem),
        Switch(source=source, pauses=not job.stops.enabled, reason=reason),
        Switch(
            source=source,
            pauses=pause is not None,
            reason=reason,
            until=_to_utc(pause.until) if pause and pause.until else None,
        ),
    )


def current_pauses_by_symbol(entries: Iterable[PausedSymbol], now: datetime) -> dict[str, PausedSymbol]:
    """Return the entries that pause a symbol at `now`, by symbol."""
    return {entry.symbol: entry for entry in entries if not _has_ended(entry.until, now)}


def next_pause_end(job: DeclaredJob, now: datetime) -> datetime | None:
    """Return the next time at which a pause of the job or of a symbol ends by itself; None if none does."""
    ends = [entry.until for entry in job.stops.paused_symbols]
    ends.append(job.stops.pause.until if job.stops.pause else None)
    return min((end for end in ends if end is not None and end > now), default=None)


def _to_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC; the last or first possible one if UTC has no date for it."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _LAST if instant.year > MINYEAR else _FIRST


def _has_ended(until: datetime | None, now: datetime) -> bool:
    return until is not None and until <= now
