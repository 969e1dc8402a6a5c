"""Which replica leads: what follows from the Lease as it is. Values in, a value out.

Nobody's clock is compared with anybody else's: a Lease has expired when we have seen it unchanged for as long as it was
given, by our own monotonic clock.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class LeaseTimings(msgspec.Struct, frozen=True):
    """How long things last, in seconds. `retry` < `renew` < `lease`."""

    lease: float = 15.0  # without a change, after this anybody may take it
    renew: float = 10.0  # without a renewal, after this its holder writes nothing more
    retry: float = 2.0  # between two looks


class Record(msgspec.Struct, frozen=True):
    """What a Lease says. No holder: it was given back."""

    holder: str
    seconds: float = 0.0
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    transitions: int = 0
    resource_version: str = ""  # empty: it is not there yet


class Observed(msgspec.Struct, frozen=True):
    """What a replica has seen of the Lease so far: the newest record, and since when it is the newest."""

    me: str
    record: Record | None = None
    since: float = 0.0


class Wait(msgspec.Struct, frozen=True):
    """Somebody else leads, or may still believe so."""


class LeaseClaim(msgspec.Struct, frozen=True):
    """Write this, if the Lease is still as it was seen. Whoever succeeds leads."""

    holder: str
    transitions: int
    renews: bool
    resource_version: str


def observed(before: Observed, record: Record | None, now: float) -> Observed:
    """What is known after another look. A deleted Lease counts as unchanged: its holder does not know yet."""
    if record is None or record == before.record:
        return before
    return Observed(before.me, record, now)


def decide(record: Record | None, seen: Observed, now: float) -> LeaseClaim | Wait:
    """What to do with the Lease as it was just read. `seen` is what is known after that look."""
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
    """What is wrong with the terms, in a sentence. Empty: nothing."""
    if terms.retry < terms.renew < terms.lease:
        return ""
    return (
        f"the Lease's retry period ({terms.retry:g} s) must be below its renew deadline ({terms.renew:g} s), and the "
        f"renew deadline below the Lease's duration ({terms.lease:g} s)"
    )
