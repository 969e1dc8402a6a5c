"""Leader election as a pure function of the Lease.

The clocks of two replicas are never compared: a Lease has expired when this replica has seen it unchanged for its
duration, by its own monotonic clock.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class LeaseTimings(msgspec.Struct, frozen=True):
    """The timings of the Lease, in seconds. `retry` < `renew` < `lease`."""

    lease: float = 15.0  # after this time without a change, any replica may take the Lease
    renew: float = 10.0  # after this time without a renewal, the holder stops writing
    retry: float = 2.0  # the time between two reads


class Record(msgspec.Struct, frozen=True):
    """The contents of a Lease. An empty holder means that it was released."""

    holder: str
    seconds: float = 0.0
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    transitions: int = 0
    resource_version: str = ""  # empty: the Lease does not exist yet


class Observed(msgspec.Struct, frozen=True):
    """The observations of a replica: the newest record of the Lease, and since when it is the newest."""

    me: str
    record: Record | None = None
    since: float = 0.0


class Wait(msgspec.Struct, frozen=True):
    """Wait, because another replica leads or may still believe that it leads."""


class LeaseClaim(msgspec.Struct, frozen=True):
    """Write this record if the Lease is unchanged. The replica that succeeds leads."""

    holder: str
    transitions: int
    renews: bool
    resource_version: str


def observed(before: Observed, record: Record | None, now: float) -> Observed:
    """Return the observations after another read. A deleted Lease counts as unchanged: its holder does not know yet."""
    if record is None or record == before.record:
        return before
    return Observed(before.me, record, now)


def decide(record: Record | None, seen: Observed, now: float) -> LeaseClaim | Wait:
    """Decide what to do with the Lease as it was just read. `seen` includes this read."""
    version = record.resource_version if record is not None else ""
    last = seen.record
    if last is None:
        return LeaseClaim(seen.me, 0, renews=False, resource_version=version)
    if last.holder == seen.me:
        return LeaseClaim(seen.me, last.transitions, renews=True, resource_version=version)
    if last.holder and now < seen.since + last.seconds:
        return Wait()
    return LeaseClaim(seen.me, last.transitions + 1, renews=False, resource_version=version)


def validate(terms: LeaseTimings) -> str:
    """Return a sentence about the mistake in the timings, or an empty text if there is none."""
    if terms.retry < terms.renew < terms.lease:
        return ""
    return (
        f"the Lease's retry period ({terms.retry:g} s) must be below its renew deadline ({terms.renew:g} s), and the "
        f"renew deadline below the Lease's duration ({terms.lease:g} s)"
    )
