"""The rules of rollouts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sluice_contract.pod_replacement import PodReplacement
from sluice_operator.domain.rollout import (
    FEW_JOBS,
    MaxUnavailable,
    ReplacementRequest,
    RolloutProgress,
    RolloutSettings,
    most_in_progress,
    parse_max_unavailable,
    replacement_turn,
    rollout_is_stopped,
    seconds_left,
)

from .world import NOW

SETTINGS = RolloutSettings()
STREAMING = ReplacementRequest("Operator", "Streaming")
IDLE = ReplacementRequest("Operator", "Idle")
RECORD = PodReplacement(started_at=NOW - timedelta(seconds=60), cause="Operator", state_before="Streaming")


@pytest.mark.parametrize(
    ("text", "jobs", "most"),
    [
        ("10%", 40, 4),
        ("10%", 49, 4),
        ("10%", 5, 1),
        ("10%", 0, 1),
        ("100%", 7, 7),
        ("3", 1000, 3),
        ("100000", 5, 100000),
    ],
)
def test_the_share_is_a_number_or_a_percentage_of_all_jobs_and_at_least_one(text: str, jobs: int, most: int) -> None:
    assert parse_max_unavailable(text).of(jobs) == most


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "100001", "-1", "ten", "10 %", "1.5", "१%"])
def test_another_text_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a number of jobs from 1 to 100000, or a percentage from 1% to 100%"):
        parse_max_unavailable(text)


def test_the_default_is_a_tenth_of_the_jobs_and_five_minutes() -> None:
    assert (MaxUnavailable().of(1000), SETTINGS.progress_deadline_seconds) == (100, 300.0)


def test_changed_specs_of_a_few_jobs_never_wait() -> None:
    assert [most_in_progress("Spec", jobs, SETTINGS) for jobs in (1, 30, 50)] == [FEW_JOBS, FEW_JOBS, 5]


@pytest.mark.parametrize(
    ("request_", "progress", "granted"),
    [
        (STREAMING, RolloutProgress(40, 3, 0), True),
        (STREAMING, RolloutProgress(40, 4, 0), False),
        (STREAMING, RolloutProgress(40, 3, 1), True),
        (STREAMING, RolloutProgress(40, 3, 2), False),
        (STREAMING, RolloutProgress(40, 3, 0, idle_first=True), False),
        (IDLE, RolloutProgress(40, 3, 0, idle_first=True), True),
        (IDLE, RolloutProgress(40, 4, 0, idle_first=True), False),
        (ReplacementRequest("Spec", "Streaming"), RolloutProgress(40, 4, 0), False),
        (ReplacementRequest("Spec", "Idle"), RolloutProgress(40, 4, 4), True),
        (ReplacementRequest("Spec", "NotReady"), RolloutProgress(40, 4, 4), True),
    ],
)
def test_the_turn(request_: ReplacementRequest, progress: RolloutProgress, granted: bool) -> None:
    assert replacement_turn(request_, None, progress, SETTINGS, NOW).is_granted is granted


def test_a_job_that_is_not_ready_since_its_last_replacement_never_waits_and_its_time_begins_again() -> None:
    full = RolloutProgress(40, 4, 4)
    turn = replacement_turn(ReplacementRequest("Spec", "NotReady"), RECORD, full, SETTINGS, NOW)
    assert turn.is_granted
    assert turn.record == PodReplacement(started_at=NOW, cause="Spec", state_before="Streaming")


@pytest.mark.parametrize(
    ("cause", "jobs", "least"), [("Operator", 9, 1), ("Operator", 40, 2), ("Operator", 1000, 50), ("Spec", 40, 4)]
)
def test_a_rollout_stops_when_enough_jobs_are_overdue(cause: str, jobs: int, least: int) -> None:
    stopped = [
        rollout_is_stopped(cause, RolloutProgress(jobs, least, overdue), SETTINGS) for overdue in (least - 1, least)
    ]
    assert stopped == [False, True]


def test_the_time_that_is_left_runs_from_the_start_of_the_replacement() -> None:
    assert seconds_left(RECORD, NOW, 300.0) == 240.0
