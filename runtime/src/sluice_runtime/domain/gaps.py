"""Gaps in the stream and their causes. Providers do not replay what was sent during a gap."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sluice_contract.status import FailureType, GapCause, StreamGap, StreamStatus

_KEPT = 10  # the limit of the status schema

_CAUSES: dict[FailureType, GapCause] = {"stall": "stall", "slowClient": "slowClient"}


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


def inherited_gaps(predecessor: StreamStatus) -> Gaps:
    """Return the gaps of the previous process, with an open gap since its last heartbeat.

    No gap is open if the last heartbeat is unknown, or if the previous process was paused or finished.
    """
    last_heartbeat = predecessor.heartbeat.at
    is_known = last_heartbeat.timestamp() > 0  # an unreadable heartbeat has the year 1970
    since = last_heartbeat if is_known and predecessor.state not in ("Paused", "Finished") else None
    return Gaps(tuple(predecessor.gaps[-_KEPT:]), since, "restart")
