"""When nothing could be received, and why. What a provider said meanwhile is gone: there is no replay."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sluice_contract.status import FailureType, GapCause, StreamGap, StreamStatus

_KEPT = 10  # as many as the schema lets into the status

_CAUSES: dict[FailureType, GapCause] = {"stall": "stall", "slowClient": "slowClient"}


class Gaps(msgspec.Struct, frozen=True):
    """The last gaps that are over, oldest first, and the one that is not."""

    closed: tuple[StreamGap, ...] = ()
    since: datetime | None = None
    cause: GapCause = "disconnect"

    def opened(self, at: datetime, cause: GapCause) -> Gaps:
        """The stream has ended. One that was not live yet has left the gap that there is."""
        return self if self.since is not None else msgspec.structs.replace(self, since=at, cause=cause)

    def explained(self, cause: GapCause) -> Gaps:
        """The cause of the gap is known better; where there is none, nothing is to explain."""
        return msgspec.structs.replace(self, cause=cause)

    def ended(self, at: datetime) -> Gaps:
        """The stream is live."""
        if self.since is None:
            return self
        gap = StreamGap(from_=self.since, to=at, cause=self.cause)
        return Gaps((*self.closed, gap)[-_KEPT:])


def failure_cause(kind: FailureType) -> GapCause:
    """What a failure of the stream is called as the cause of a gap."""
    return _CAUSES.get(kind, "disconnect")


def inherited(predecessor: StreamStatus) -> Gaps:
    """The gaps of the process before this one, and the one since its last sign of life."""
    last_heartbeat = predecessor.heartbeat.at
    is_known = last_heartbeat.timestamp() > 0  # one that could not be read says 1970
    since = last_heartbeat if is_known and predecessor.state not in ("Paused", "Finished") else None
    return Gaps(tuple(predecessor.gaps[-_KEPT:]), since, "restart")
