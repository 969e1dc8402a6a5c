"""The status of a pause: its conditions, counts and names."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sluice_contract import pause_conditions as c
from sluice_operator.domain.pause_objects import PauseObject
from sluice_operator.domain.status_of_pause import PauseCounts, status_of_pause

from .pause_fakes import pause_object
from .world import NOW

PAUSE = pause_object(("acme", "p"), {"jobSelector": {}})
FLEET = pause_object(("", "fleet"), {})
NOTHING = PauseCounts(selected=0, acknowledged=0)
WAITING = PauseCounts(selected=3, acknowledged=2, waiting_for=("fx",), waiting_seconds=3)
LATE = msgspec.structs.replace(WAITING, waiting_seconds=10)
DONE = PauseCounts(selected=3, acknowledged=3)


def conditions(pause: PauseObject, counts: PauseCounts) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition, which the contract declares."""
    found = status_of_pause(pause, counts, NOW).conditions
    assert all(each.type in c.REASONS[each.reason].types for each in found)
    return {each.type: (each.status, each.reason) for each in found}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (NOTHING, {c.IN_FORCE: ("True", c.NOTHING_SELECTED), c.ACKNOWLEDGED: ("True", c.NOTHING_SELECTED)}),
        (DONE, {c.IN_FORCE: ("True", c.IN_FORCE_REASON), c.ACKNOWLEDGED: ("True", c.ACKNOWLEDGED_REASON)}),
        (
            WAITING,
            {
                c.IN_FORCE: ("True", c.IN_FORCE_REASON),
                c.ACKNOWLEDGED: ("False", c.WAITING),
                c.RECONCILING: ("True", c.WAITING),
            },
        ),
        (
            LATE,
            {
                c.IN_FORCE: ("True", c.IN_FORCE_REASON),
                c.ACKNOWLEDGED: ("False", c.NOT_ACKNOWLEDGED),
                c.RECONCILING: ("True", c.NOT_ACKNOWLEDGED),
            },
        ),
    ],
)
def test_the_conditions_follow_the_counts(counts: PauseCounts, expected: dict[str, tuple[str, str]]) -> None:
    assert conditions(PAUSE, counts) == expected == conditions(FLEET, counts)


def test_a_pause_that_has_ended_has_no_counts() -> None:
    ended = pause_object(("acme", "p"), {"jobSelector": {}, "until": (NOW - timedelta(seconds=1)).isoformat()})
    status = status_of_pause(ended, LATE, NOW)
    assert conditions(ended, LATE) == {c.IN_FORCE: ("False", c.EXPIRED)}
    assert (status.acknowledged, status.waiting_for) == (None, [])
    assert "2026-03-02T14:59:59Z" in status.conditions[0].message


def test_the_jobs_are_counted_and_only_those_of_the_own_namespace_are_named() -> None:
    status = status_of_pause(PAUSE, WAITING, NOW)
    assert (status.observed_generation, status.acknowledged, status.waiting_for) == (1, "2/3", ["fx"])
    assert status_of_pause(FLEET, WAITING, NOW).waiting_for == []


def test_a_late_acknowledgement_says_what_to_apply() -> None:
    status = status_of_pause(PAUSE, LATE, NOW, "Apply ClusterRole sluice-ingest.")
    assert "Apply ClusterRole sluice-ingest." in status.conditions[1].message
    assert "Apply" not in status_of_pause(PAUSE, WAITING, NOW, "Apply it.").conditions[1].message


def test_a_field_that_is_not_understood_is_named() -> None:
    pause = pause_object(("acme", "p"), {"jobs": 7})
    assert "spec.jobs is not understood" in status_of_pause(pause, DONE, NOW).conditions[0].message


def test_the_time_of_a_condition_is_that_of_its_last_change() -> None:
    first = status_of_pause(PAUSE, WAITING, NOW)
    later = NOW + timedelta(seconds=30)
    second = status_of_pause(msgspec.structs.replace(PAUSE, status=first), DONE, later)
    assert [each.last_transition_time for each in second.conditions] == [NOW, later]
