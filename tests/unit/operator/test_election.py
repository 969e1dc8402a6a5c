"""The decision whether a replica may take the Lease, as a pure function."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_contract.lease import LeaseObservation
from sluice_operator.domain.election import (
    LeaseRecord,
    LeaseTimings,
    WaitForLease,
    WriteLease,
    decide_lease_action,
    observation_after_read,
    timings_problem,
)

THEIRS = LeaseRecord(holder="other", seconds=15, transitions=3, resource_version="7")


NOTHING = LeaseObservation[LeaseRecord]()


def look(
    record: LeaseRecord | None, now: float, before: LeaseObservation[LeaseRecord] = NOTHING
) -> WriteLease | WaitForLease:
    """Observe the Lease once, and return the resulting decision."""
    return decide_lease_action("me", record, observation_after_read(before, record, now), now)


def test_an_absent_lease_is_created() -> None:
    assert look(None, now=5) == WriteLease("me", transitions=0, renews=False, resource_version="")


def test_a_released_lease_is_taken_at_once() -> None:
    free = LeaseRecord(holder="", seconds=1, transitions=3, resource_version="8")
    assert look(free, now=5) == WriteLease("me", transitions=4, renews=False, resource_version="8")


def test_a_replica_renews_its_own_lease_on_the_version_that_it_read() -> None:
    mine = msgspec.structs.replace(THEIRS, holder="me")
    assert look(mine, now=5) == WriteLease("me", transitions=3, renews=True, resource_version="7")


def test_another_replica_s_lease_is_not_taken_until_unchanged_for_its_duration() -> None:
    before = observation_after_read(NOTHING, THEIRS, 100)
    assert look(THEIRS, now=114.9, before=before) == WaitForLease()
    assert look(THEIRS, now=115.0, before=before) == WriteLease("me", transitions=4, renews=False, resource_version="7")


def test_a_renewal_restarts_the_wait() -> None:
    before = observation_after_read(NOTHING, THEIRS, 100)
    assert look(msgspec.structs.replace(THEIRS, resource_version="8"), now=120, before=before) == WaitForLease()


def test_a_deleted_lease_is_not_taken_before_its_holder_must_have_noticed() -> None:
    before = observation_after_read(NOTHING, THEIRS, 100)
    assert look(None, now=114.9, before=before) == WaitForLease()
    assert look(None, now=115.0, before=before) == WriteLease("me", transitions=4, renews=False, resource_version="")


def test_the_holder_of_a_deleted_lease_recreates_it() -> None:
    before = observation_after_read(NOTHING, msgspec.structs.replace(THEIRS, holder="me"), 100)
    assert look(None, now=102, before=before) == WriteLease("me", transitions=3, renews=True, resource_version="")


@given(st.floats(0, 1e6), st.floats(0, 60), st.floats(0.1, 60))
def test_no_replica_takes_a_lease_that_it_has_observed_for_less_than_its_duration(
    at: float, age: float, lasts: float
) -> None:
    record = msgspec.structs.replace(THEIRS, seconds=lasts)
    before = observation_after_read(NOTHING, record, at)
    taken = isinstance(look(record, at + age, before), WriteLease)
    assert taken == (at + age >= at + lasts)


@pytest.mark.parametrize("terms", [LeaseTimings(lease=10, renew=10), LeaseTimings(renew=2, retry=2)])
def test_lease_timings_without_a_margin_are_reported(terms: LeaseTimings) -> None:
    assert "must be below" in timings_problem(terms)
    assert not timings_problem(LeaseTimings())
