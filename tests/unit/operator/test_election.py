"""Who may write himself into the Lease, as a function of values."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_operator.domain.election import (
    LeaseClaim,
    LeaseObservation,
    LeaseRecord,
    LeaseTimings,
    WaitForLease,
    decide_lease_action,
    next_observation,
    timings_problem,
)

THEIRS = LeaseRecord(holder="other", seconds=15, transitions=3, resource_version="7")


NOTHING = LeaseObservation("me")


def look(record: LeaseRecord | None, now: float, before: LeaseObservation = NOTHING) -> LeaseClaim | WaitForLease:
    """A look at the Lease, and what follows from it."""
    return decide_lease_action(record, next_observation(before, record, now), now)


def test_a_lease_that_never_was_is_created() -> None:
    assert look(None, now=5) == LeaseClaim("me", transitions=0, renews=False, resource_version="")


def test_a_lease_that_was_given_back_is_taken_at_once() -> None:
    free = LeaseRecord(holder="", seconds=1, transitions=3, resource_version="8")
    assert look(free, now=5) == LeaseClaim("me", transitions=4, renews=False, resource_version="8")


def test_ones_own_lease_is_renewed_as_it_was_seen() -> None:
    mine = msgspec.structs.replace(THEIRS, holder="me")
    assert look(mine, now=5) == LeaseClaim("me", transitions=3, renews=True, resource_version="7")


def test_anothers_lease_is_left_alone_until_it_was_seen_unchanged_for_its_duration() -> None:
    before = next_observation(LeaseObservation("me"), THEIRS, 100)
    assert look(THEIRS, now=114.9, before=before) == WaitForLease()
    assert look(THEIRS, now=115.0, before=before) == LeaseClaim("me", transitions=4, renews=False, resource_version="7")


def test_a_renewal_starts_the_wait_anew() -> None:
    before = next_observation(LeaseObservation("me"), THEIRS, 100)
    assert look(msgspec.structs.replace(THEIRS, resource_version="8"), now=120, before=before) == WaitForLease()


def test_a_deleted_lease_is_not_taken_before_its_holder_must_have_noticed() -> None:
    before = next_observation(LeaseObservation("me"), THEIRS, 100)
    assert look(None, now=114.9, before=before) == WaitForLease()
    assert look(None, now=115.0, before=before) == LeaseClaim("me", transitions=4, renews=False, resource_version="")


def test_the_holder_of_a_deleted_lease_writes_it_anew() -> None:
    before = next_observation(LeaseObservation("me"), msgspec.structs.replace(THEIRS, holder="me"), 100)
    assert look(None, now=102, before=before) == LeaseClaim("me", transitions=3, renews=True, resource_version="")


@given(st.floats(0, 1e6), st.floats(0, 60), st.floats(0.1, 60))
def test_nobody_takes_a_lease_that_he_has_known_for_less_than_its_duration(at: float, age: float, lasts: float) -> None:
    record = msgspec.structs.replace(THEIRS, seconds=lasts)
    before = next_observation(LeaseObservation("me"), record, at)
    taken = isinstance(look(record, at + age, before), LeaseClaim)
    assert taken == (at + age >= at + lasts)


@pytest.mark.parametrize("terms", [LeaseTimings(lease=10, renew=10), LeaseTimings(renew=2, retry=2)])
def test_terms_that_leave_no_margin_are_named(terms: LeaseTimings) -> None:
    assert "must be below" in timings_problem(terms)
    assert not timings_problem(LeaseTimings())
