from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_contract.limits import WriteLimits
from sluice_runtime.domain.heartbeat_owner import StoredHeartbeat
from sluice_runtime.domain.write_budget import budget_day
from sluice_runtime.domain.write_counter import (
    WriteCounter,
    WriteRateBound,
    counted_before,
    is_of_same_job,
    uncounted_before,
    write_rate_bound,
)

NOON = datetime(2026, 11, 28, 20, tzinfo=UTC)  # in Los Angeles
DAY = budget_day(NOON)
BOUND = WriteRateBound(per_second=2.0, at_once=10)


def stored(**changes: Any) -> StoredHeartbeat:
    fields: dict[str, Any] = {
        "job": "acme/us",
        "job_uid": "0b0b",
        "cluster": "c1",
        "epoch": 7,
        "status": "running",
        "interval_seconds": 15.0,
        "age_seconds": 5.0,
        "writes_day": "2026-11-28",
        "writes_used": 1234,
    }
    return StoredHeartbeat(**(fields | changes))


def test_documents_count_on_the_day_on_which_they_are_sent() -> None:
    counter = WriteCounter()
    before, after = DAY.ends - timedelta(seconds=1), DAY.ends
    assert counter.add(3, before) == DAY.day
    assert counter.used(before) == 3
    assert counter.used(after) == 0
    assert counter.add(2, after) == DAY.day + timedelta(days=1)
    counter.subtract(3, DAY.day)  # refused after midnight: the new day does not get them back
    assert counter.used(after) == 2
    counter.subtract(1, DAY.day + timedelta(days=1))
    assert counter.used(after) == 1


def test_a_clock_that_goes_back_does_not_begin_another_day() -> None:
    counter = WriteCounter()
    counter.add(3, NOON)
    assert counter.used(NOON - timedelta(days=1)) == 3


def test_nothing_can_be_taken_back_before_the_first_document() -> None:
    counter = WriteCounter()
    counter.subtract(1, DAY.day)
    assert counter.used(NOON) == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 1234), ({"writes_day": "2026-11-27"}, 0), ({"writes_day": None}, 0), ({"writes_used": None}, 0)],
)
def test_the_count_of_an_earlier_process_applies_to_its_day_only(changes: dict[str, Any], expected: int) -> None:
    assert counted_before(stored(**changes), DAY) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 8 * 2 + 10),  # 5 s, and the 3 s that a write of a heartbeat takes at the most
        ({"age_seconds": 3600.0}, 18 * 2 + 10),  # it would have written another heartbeat after 15 s
        ({"age_seconds": 3600.0, "interval_seconds": 30.0}, 33 * 2 + 10),
        ({"age_seconds": 3600.0, "interval_seconds": None}, 18 * 2 + 10),
        ({"status": "stopped"}, 0),
        ({"status": "paused"}, 0),
        ({"status": "degraded"}, 8 * 2 + 10),
    ],
)
def test_the_seconds_after_the_last_heartbeat_are_charged_at_the_bound(changes: dict[str, Any], expected: int) -> None:
    assert uncounted_before(stored(**changes), DAY, NOON, BOUND) == expected


def test_only_the_seconds_of_the_day_are_charged() -> None:
    just_after = DAY.begins + timedelta(seconds=4)
    assert uncounted_before(stored(age_seconds=10.0), DAY, just_after, BOUND) == 4 * 2 + 10
    assert uncounted_before(stored(age_seconds=18.0), DAY, just_after, BOUND) == 1 * 2 + 10
    assert uncounted_before(stored(age_seconds=60.0), DAY, just_after, BOUND) == 0


def test_a_process_can_write_its_burst_and_a_record_of_each_symbol_at_once() -> None:
    limits = WriteLimits(writes_per_second=20, burst=40)
    assert write_rate_bound(limits, 100, None) == WriteRateBound(per_second=20.0, at_once=140)
    assert write_rate_bound(limits, 5, 0.5) == WriteRateBound(per_second=0.5, at_once=10)
    assert write_rate_bound(limits, 5, 50.0) == WriteRateBound(per_second=20.0, at_once=10)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"job_uid": "another"}, True),  # the job was deleted and created again
        ({"job_uid": "another", "cluster": "c2"}, False),
        ({"job_uid": "another", "cluster": None}, False),
        ({"job_uid": "another", "job": "acme/eu"}, False),
    ],
)
def test_the_count_continues_for_the_job_of_that_name_in_the_cluster(changes: dict[str, Any], expected: bool) -> None:
    assert is_of_same_job(stored(**changes), "0b0b", "c1", "acme/us") is expected
