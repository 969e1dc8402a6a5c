"""The Lease: its wire format, its times, and when it is free by the clock of one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from sluice_contract.lease import (
    LeaseMetadata,
    LeaseObservation,
    LeaseSpec,
    UnreadableLeaseError,
    decode_lease,
    lease_time_text,
    new_lease,
    parse_lease_time,
)

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class Claim(msgspec.Struct, frozen=True):
    """The least that a process reads of a Lease."""

    holder: str
    version: int = 1


def test_a_lease_is_unchanged_after_its_way_to_the_api_server() -> None:
    spec = LeaseSpec(holder_identity="us", lease_duration_seconds=15, renew_time=lease_time_text(AT))
    lease = new_lease(LeaseMetadata(name="slot", owner_references=[{"uid": "1"}]), spec)
    assert decode_lease(msgspec.json.encode(lease)) == lease


def test_what_a_new_lease_does_not_have_is_not_sent() -> None:
    assert msgspec.to_builtins(new_lease(LeaseMetadata(name="slot"), LeaseSpec())) == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "slot"},
        "spec": {},
    }


def test_managed_fields_that_are_nested_deeply_do_not_hide_a_lease() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    body = b'{"metadata": {"managedFields": ' + deep + b'}, "spec": {"holderIdentity": "us"}}'
    assert decode_lease(body).spec.holder_identity == "us"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xff",
        b"{}",
        b"[" * 100_000,
        b'{"metadata": {}, "spec": 5}',
        b'{"metadata": {"name": "\xff"}}',
        b'{"metadata": {}, "spec": {"leaseDurationSeconds": 1e300}}',
    ],
)
def test_an_answer_that_is_no_lease_is_an_error(body: bytes) -> None:
    with pytest.raises(UnreadableLeaseError, match=r"."):
        decode_lease(body)


def test_a_time_has_microseconds_and_is_in_utc() -> None:
    assert lease_time_text(AT) == "2026-03-02T15:00:00.000000Z"
    assert lease_time_text(AT.astimezone(timezone(timedelta(hours=-5)))) == "2026-03-02T15:00:00.000000Z"
    assert lease_time_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
    assert lease_time_text(None) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"])
def test_a_time_is_read_as_it_was_written(text: str) -> None:
    assert lease_time_text(parse_lease_time(text)) == text


def test_a_time_in_another_zone_is_read_in_utc_and_an_absent_one_is_none() -> None:
    assert parse_lease_time("2026-03-02T10:00:00-05:00") == AT
    assert (parse_lease_time(None), parse_lease_time("")) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "0000-01-01T00:00:00.000000Z",
        "10000-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00.000000+01:00",
        "9999-12-31T23:59:59.000000-01:00",
    ],
)
def test_a_time_that_sluice_never_writes_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableLeaseError, match=r"."):
        parse_lease_time(text)


def test_a_lease_that_is_absent_or_released_is_free() -> None:
    assert LeaseObservation[Claim]().is_free(15, now=0)
    assert LeaseObservation(Claim(""), 10).is_free(15, now=10)


def test_a_held_lease_is_free_once_it_was_seen_unchanged_for_its_duration() -> None:
    seen = LeaseObservation[Claim]().updated_with(Claim("us"), 10).updated_with(Claim("us"), 20)
    assert not seen.is_free(15, now=24.9)
    assert seen.is_free(15, now=25)


def test_a_renewal_starts_the_duration_again() -> None:
    seen = LeaseObservation(Claim("us"), 10).updated_with(Claim("us", version=2), 24)
    assert not seen.is_free(15, now=38.9)
