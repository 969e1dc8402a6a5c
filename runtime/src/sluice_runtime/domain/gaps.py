"""Gaps in the stream and their causes. Providers do not replay what was sent during a gap."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sluice_contract.status import FailureType, GapCause, StreamGap, StreamStatus

_KEPT = 10  # the limit of the status schema

_CAUSES: dict[FailureType, GapCause] = {"stall": "stall", "slowClient": "slowClient"}


class Gaps(msgspec.Struct, frozen=True):
    """The last closed gaps, oldest first, and the open gap, if any."""

    closed: tuple[StreamGap, ...] = ()
    since: datetime | None = None
    cause: GapCause = "disconnect"

    def with_open_gap(self, at: datetime, cause: GapCause) -> Gaps:
        """Return the gaps with a new open gap. An already open gap stays as it is."""
        return self if self.since is not None else msgspec.structs.replace(self, since=at, cause=cause)

    def with_cause(self, cause: GapCause) -> Gaps:
        """Return the gaps with a more precise cause of the open gap."""
        return msgspec.structs.replace(self, cause=cause)

    def with_gap_closed(self, at: datetime) -> Gaps:
        """Return the gaps with the open gap closed at `at`, because the stream is live again."""
        if self.since is None:
            return self
        gap = StreamGap(from_=self.since, to=at, cause=self.cause)
        return Gaps((*self.closed, gap)[-_KEPT:])


def gap_cause_of_failure(kind: FailureType) -> GapCause:
    """Return the cause of a gap for a type of failure."""
    return _CAUSES.get(kind, "disconnect")


def inherited_gaps(predecessor: StreamStatus) -> Gaps:
    """Return the gaps of the previous process, and an open gap since its last heartbeat."""
    last_heartbeat = predecessor.heartbeat.at
    is_known = last_heartbeat.timestamp() > 0  # an unreadable heartbeat has the year 1970
    since = last_heartbeat if is_known and predecessor.state not in ("Paused", "Finished") else None
    return Gaps(tuple(predecessor.gaps[-_KEPT:]), since, "restart")
