"""Leader election as a pure function of the Lease.

The clocks of two replicas are never compared: a Lease has expired when this replica has seen it unchanged for its
duration, by its own monotonic clock.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class LeaseTimings(msgspec.Struct, frozen=True):
    """The timings of the leader election, in seconds. `retry` is below `renew`, and `renew` is below `lease`."""

    lease: float = 15.0  # after this time without a change, any replica may take the Lease
    renew: float = 10.0  # after this time without a renewal, the holder stops writing
    retry: float = 2.0  # the time between two reads


class LeaseRecord(msgspec.Struct, frozen=True):
    """The contents of a Lease. An empty `holder` means that the Lease was released."""

    holder: str
    seconds: float = 0.0
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    transitions: int = 0
    resource_version: str = ""  # empty: the Lease does not exist yet


class LeaseObservation(msgspec.Struct, frozen=True):
    """The newest record of the Lease that a replica has read, and when the replica first read it."""

    me: str
    record: LeaseRecord | None = None
    since: float = 0.0


class WaitForLease(msgspec.Struct, frozen=True):
    """The decision to wait, because another replica leads or may still believe that it leads."""


class WriteLease(msgspec.Struct, frozen=True):
    """The decision to write the Lease if it is unchanged since it was read. The replica leads if the write succeeds."""

    holder: str
    transitions: int
    renews: bool
    resource_version: str


def observation_after_read(earlier: LeaseObservation, record: LeaseRecord | None, now: float) -> LeaseObservation:
    """Return the observation of the Lease after another read. It is `earlier` itself if the Lease is unchanged.

    A deleted Lease counts as unchanged, because its holder may not know yet that it is deleted.
    """
    if record is None or record == earlier.record:
        return earlier
    return LeaseObservation(earlier.me, record, now)


def decide_lease_action(
    record: LeaseRecord | None, observation: LeaseObservation, now: float
) -> WriteLease | WaitForLease:
    """Decide whether to write the Lease or to wait. `record` is the Lease as it was just read.

    `observation` already includes this read.
    """
    version = record.resource_version if record is not None else ""
    last = observation.record
    if last is None:
        return WriteLease(observation.me, 0, renews=False, resource_version=version)
    if last.holder == observation.me:
        return WriteLease(observation.me, last.transitions, renews=True, resource_version=version)
    if last.holder and now < observation.since + last.seconds:
        return WaitForLease()
    return WriteLease(observation.me, last.transitions + 1, renews=False, resource_version=version)


def timings_problem(timings: LeaseTimings) -> str:
    """Return a sentence that describes the problem with the timings, or an empty text if they are valid."""
    if timings.retry < timings.renew < timings.lease:
        return ""
    return (
        f"the Lease's retry period ({timings.retry:g} s) must be below its renew deadline ({timings.renew:g} s), and "
        f"the renew deadline below the Lease's duration ({timings.lease:g} s)"
    )
