"""Leader election as a pure function of the Lease."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sluice_contract.lease import LeaseObservation


class LeaseTimings(msgspec.Struct, frozen=True):
    """The timings of the leader election, in seconds. `retry` is below `renew`, and `renew` is below `lease`."""

    lease: float = 15.0  # after this time without a change, any replica may take the Lease
    renew: float = 10.0  # after this time without a renewal, the holder begins no write
    retry: float = 2.0  # the time between two requests for the Lease

    @property
    def exit(self) -> float:
        """The time without a renewal after which a holder exits, even if a renewal is still under way.

        It ends before another replica may take the Lease, so the last write of a holder precedes its successor's first.
        """
        return max(self.renew, self.lease - self.retry)


class LeaseRecord(msgspec.Struct, frozen=True):
    """The contents of a Lease. An empty `holder` means that the Lease was released."""

    holder: str
    seconds: float = 0.0
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    transitions: int = 0
    resource_version: str = ""  # empty: the Lease does not exist yet


class WaitForLease(msgspec.Struct, frozen=True):
    """The decision to wait, because another replica leads or may still believe that it leads."""


class WriteLease(msgspec.Struct, frozen=True):
    """The decision to write the Lease if it is unchanged since it was read. The replica leads if the write succeeds."""

    holder: str
    transitions: int
    renews: bool
    resource_version: str


def observation_after_read(
    earlier: LeaseObservation[LeaseRecord], record: LeaseRecord | None, now: float
) -> LeaseObservation[LeaseRecord]:
    """Return the observation of the Lease after another read. It is `earlier` itself if the Lease is unchanged.

    A deleted Lease counts as unchanged, because its holder may not know yet that it is deleted.
    """
    return earlier if record is None else earlier.updated_with(record, now)


def decide_lease_action(
    replica: str, record: LeaseRecord | None, observation: LeaseObservation[LeaseRecord], now: float
) -> WriteLease | WaitForLease:
    """Decide whether this replica writes the Lease or waits. `record` is the Lease as it was just read.

    `observation` already includes this read.
    """
    version = record.resource_version if record is not None else ""
    last = observation.record
    if last is None:
        return WriteLease(replica, 0, renews=False, resource_version=version)
    if last.holder == replica:
        return WriteLease(replica, last.transitions, renews=True, resource_version=version)
    if not observation.is_free(last.seconds, now):
        return WaitForLease()
    return WriteLease(replica, last.transitions + 1, renews=False, resource_version=version)


def timings_problem(timings: LeaseTimings) -> str:
    """Return a sentence that describes the problem with the timings, or an empty text if they are valid."""
    if timings.retry < timings.renew < timings.lease:
        return ""
    return (
        f"the Lease's retry period ({timings.retry:g} s) must be below its renew deadline ({timings.renew:g} s), and "
        f"the renew deadline below the Lease's duration ({timings.lease:g} s)"
    )
