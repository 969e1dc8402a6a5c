"""Gaps in the stream and their causes. Providers do not replay what was sent during a gap."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

import msgspec

from sluice_contract.status import FailureType, GapCause, StreamGap, StreamStatus

_KEPT = 10  # the limit of the status schema
_CLOCK_TOLERANCE = timedelta(days=1)  # by which the clock of the previous node may have been ahead

_CAUSES: dict[FailureType, GapCause] = {"stall": "stall", "slowClient": "slowClient"}
_CAUSES_BY_NAME: dict[str, GapCause] = {cause: cause for cause in get_args(GapCause)}  # other versions write others


class OpenGap(msgspec.Struct, frozen=True):
    """A gap that lasts. Its cause can change until it is closed."""

    since: datetime
    cause: GapCause


class Gaps(msgspec.Struct, frozen=True):
    """The last closed gaps, oldest first, and the open gap, if any."""

    closed: tuple[StreamGap, ...] = ()
    since: datetime | None = None
    cause: GapCause = "disconnect"

    @property
    def open_gap(self) -> OpenGap | None:
        """The gap that lasts; None if the stream is live or never was."""
        return OpenGap(self.since, self.cause) if self.since is not None else None

    def with_open_gap(self, at: datetime, cause: GapCause) -> Gaps:
        """Return the gaps with a gap that opened at `at`. If a gap is already open, return them unchanged."""
        return self if self.since is not None else msgspec.structs.replace(self, since=at, cause=cause)

    def with_cause_of_open_gap(self, cause: GapCause) -> Gaps:
        """Return the gaps with `cause` as the cause of the open gap. Without an open gap, this has no effect."""
        return msgspec.structs.replace(self, cause=cause)

    def with_gap_closed(self, at: datetime) -> Gaps:
        """Return the gaps with the open gap closed at `at`. If no gap is open, return them unchanged."""
        if self.since is None:
            return self
        gap = StreamGap(from_=self.since, to=at, cause=self.cause)
        return Gaps((*self.closed, gap)[-_KEPT:])


def gap_cause_of_failure(kind: FailureType) -> GapCause:
    """Return the cause to record for a gap that a failure of this type opened."""
    return _CAUSES.get(kind, "disconnect")


def inherited_gaps(predecessor: StreamStatus, started_at: datetime) -> Gaps:
    """Return the gaps of the previous process, with the gap that lasts since its stream ended.

    No gap lasts if the previous process had finished, had been paused before its stream was ever live, or if the time
    of its last report is unknown. A gap that lasts began before this process started, at `started_at`. Ended gaps with
    times that no process can have measured are left out.
    """
    since, cause = _start_of_inherited_gap(predecessor)
    ended = [gap for gap in predecessor.gaps if _is_measurable(gap, started_at)]
    return Gaps(tuple(ended[-_KEPT:]), min(since, started_at) if since is not None else None, cause)


def _is_measurable(gap: StreamGap, started_at: datetime) -> bool:
    return _is_known(gap.from_) and gap.from_ <= gap.to <= started_at + _CLOCK_TOLERANCE


def _start_of_inherited_gap(predecessor: StreamStatus) -> tuple[datetime | None, GapCause]:
    if predecessor.state == "Finished":
        return None, "restart"
    if (open_gap := predecessor.open_gap) is not None and _is_known(open_gap.since):
        return open_gap.since, _CAUSES_BY_NAME.get(open_gap.cause, "restart")
    if predecessor.state == "Paused":  # a pod of an earlier version does not report its open gap
        pause = predecessor.pause
        closed_at = pause.socket_closed_at if pause is not None else None
        return closed_at if closed_at is not None and _is_known(closed_at) else None, "pause"
    return predecessor.heartbeat.at if _is_known(predecessor.heartbeat.at) else None, "restart"


def _is_known(instant: datetime) -> bool:
    return instant.timestamp() > 0  # an unreadable time is read as the year 1970
