"""The switches that can pause a job. All of them are inputs of one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime

import msgspec

from sluice_contract.bounds import cut_to_characters
from sluice_contract.identity import DELETED_SOURCE, UNREADABLE_SOURCE
from sluice_contract.pause_sentences import pause_clause
from sluice_contract.pause_sources import (
    API_SOURCE,
    AUTO_STOP_SOURCE,
    QUOTA_SOURCE,
    SPEC_ENABLED_SOURCE,
    SPEC_PAUSE_SOURCE,
    position_of_source,
)
from sluice_contract.pause_status import PauseSource
from sluice_contract.pod import SWITCHED_OFF, SWITCHED_ON
from sluice_contract.spec import PausedSymbol
from sluice_contract.values import REASON_CHARACTERS

from .declared_job import DeclaredJob

API = API_SOURCE
AUTO_STOP = AUTO_STOP_SOURCE
GONE = DELETED_SOURCE
SPEC_SOURCES = frozenset({SPEC_ENABLED_SOURCE, SPEC_PAUSE_SOURCE})  # the job's own switches
PAUSED_SYMBOLS_SOURCE = "spec.pausedSymbols"  # of the pause of a symbol

_STOP_REASON_BY_SOURCE = {AUTO_STOP: "auto_stop", QUOTA_SOURCE: "quota", GONE: "deleted"}
_OTHER_STOP_REASON = "operator_request"
STOP_REASONS = (_OTHER_STOP_REASON, *_STOP_REASON_BY_SOURCE.values())  # all values of `PauseInForce.stop_reason`

_FIRST, _LAST = datetime(MINYEAR, 1, 1, tzinfo=UTC), datetime(MAXYEAR, 12, 31, 23, 59, 59, tzinfo=UTC)


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one switch that can pause the job. With `until`, it pauses only before that instant.

    `by` is the user who paused, if the switch says so.
    """

    source: str
    pauses: bool
    reason: str | None = None
    until: datetime | None = None
    by: str | None = None


class PauseInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The pause in force: the first switch that pauses the job, and all others that do, in the order of authority.

    `until` is when the first switch stops pausing by itself; the pause itself has `ends_at`.
    """

    source: str
    reason: str | None = None
    until: datetime | None = None
    by: str | None = None
    others: tuple[PauseSource, ...] = ()

    @property
    def sources(self) -> tuple[PauseSource, ...]:
        """All switches that pause the job, in the order of authority."""
        first = PauseSource(source=self.source, reason=self.reason, by=self.by, until=self.until)
        return (first, *self.others)

    @property
    def source_names(self) -> tuple[str, ...]:
        """The sources of all switches that pause the job, without duplicates."""
        return tuple(dict.fromkeys(each.source for each in self.sources))

    @property
    def ends_at(self) -> datetime | None:
        """When the last switch stops pausing by itself; None as soon as one of them has no end."""
        ends = [each.until for each in self.sources if each.until is not None]
        return max(ends) if len(ends) == len(self.sources) else None

    @property
    def stop_reason(self) -> str:
        """The label `reason` of the metric `ingest_stops_total` when this pause stops the stream."""
        return _STOP_REASON_BY_SOURCE.get(self.source, _OTHER_STOP_REASON)

    def clause(self) -> str:
        """Return the switches with who paused, why and until when, as in the condition `Paused` of the job."""
        return pause_clause(self.sources)


class SymbolPause(msgspec.Struct, frozen=True, kw_only=True):
    """The pause of one symbol: what pauses it, why, and who paused it if that is known."""

    source: str
    reason: str
    by: str | None = None

    @property
    def description(self) -> str:
        """The reason, and what pauses the symbol unless it is the spec of the job itself; empty if there is neither."""
        if self.source == PAUSED_SYMBOLS_SOURCE:
            return self.reason
        author = f", {self.by}" if self.by else ""
        return f"{self.reason} ({self.source}{author})"


def cut_reason(reason: str | None) -> str | None:
    """Return the reason that a user gives for a pause, with at most the characters of `spec.pause.reason`.

    A request to stop is never refused because of its reason. Half of a surrogate pair, which is no character, becomes a
    question mark.
    """
    if reason is None:
        return None
    return cut_to_characters(reason.encode(errors="replace").decode(), REASON_CHARACTERS)


def pause_in_force(switches: Iterable[Switch], now: datetime) -> PauseInForce | None:
    """Return the pause by all switches that pause at `now`, in the order of authority; None if none does."""
    pausing = [each for each in switches if each.pauses and not has_ended(each.until, now)]
    if not pausing:
        return None
    first, *others = sorted(pausing, key=lambda each: position_of_source(each.source))
    return PauseInForce(
        source=first.source,
        reason=first.reason,
        until=first.until,
        by=first.by,
        others=tuple(
            PauseSource(source=each.source, reason=each.reason, by=each.by, until=each.until) for each in others
        ),
    )


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
    pause = job.stops.pause
    deleted = job.metadata.deletion_timestamp is not None
    return (
        Switch(source=GONE, pauses=deleted, reason="the IngestJob is being deleted"),
        Switch(source=UNREADABLE_SOURCE, pauses=bool(job.stops.problem), reason=job.stops.problem),
        Switch(source=SPEC_ENABLED_SOURCE, pauses=not job.stops.enabled),
        Switch(
            source=SPEC_PAUSE_SOURCE,
            pauses=pause is not None,
            reason=(pause.reason or None) if pause else None,
            until=to_utc(pause.until) if pause and pause.until else None,
        ),
    )


def current_pauses_by_symbol(entries: Iterable[PausedSymbol], now: datetime) -> dict[str, SymbolPause]:
    """Return the pauses by `spec.pausedSymbols` at `now`, by symbol."""
    return {
        entry.symbol: SymbolPause(source=PAUSED_SYMBOLS_SOURCE, reason=entry.reason)
        for entry in entries
        if not has_ended(entry.until, now)
    }


def next_pause_end(
    job: DeclaredJob, now: datetime, switches: Iterable[Switch] = (), other_ends: Iterable[datetime] = ()
) -> datetime | None:
    """Return the next time at which a pause of the job or of a symbol ends by itself; None if none does.

    `switches` are those outside the IngestJob, and `other_ends` the ends of pause objects.
    """
    ends = [entry.until for entry in job.stops.paused_symbols]
    ends.append(job.stops.pause.until if job.stops.pause else None)
    ends.extend(each.until for each in switches)
    ends.extend(other_ends)
    return min((end for end in ends if end is not None and end > now), default=None)


def to_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC; the last or first possible one if UTC has no date for it."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _LAST if instant.year > MINYEAR else _FIRST


def has_ended(until: datetime | None, now: datetime) -> bool:
    """Return whether a pause that ends at `until` is over; it never is if `until` is None."""
    return until is not None and until <= now
