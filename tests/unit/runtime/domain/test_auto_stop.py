from sluice_contract.spec import AutoStop
from sluice_runtime.domain.auto_stop import Streak, breach


def test_no_limit_is_never_reached() -> None:
    assert breach(AutoStop(), 1e9, 10**9) is None


def test_the_time_limit_is_reached_at_its_end_and_not_before() -> None:
    limits = AutoStop(after_seconds=60)
    assert breach(limits, 59.9, 0) is None
    assert breach(limits, 60.0, 0) == "autoStop.afterSeconds: the job has streamed for 60 s"


def test_errors_count_up_to_their_limit() -> None:
    limits = AutoStop(after_consecutive_errors=3)
    assert breach(limits, 1e9, 2) is None
    assert breach(limits, 0, 3) == "autoStop.afterConsecutiveErrors: 3 consecutive failures"


def test_failures_add_up_whether_or_not_the_stream_was_live_between() -> None:
    streak = Streak(7)
    streak.note(8, False, 0)
    streak.note(8, True, 1)
    streak.note(10, False, 60.9)
    assert streak.errors == 3


def test_a_healthy_minute_resets_the_failures() -> None:
    streak = Streak()
    streak.note(2, False, 0)
    streak.note(2, True, 10)
    streak.note(2, True, 65)
    streak.note(3, False, 70)
    assert streak.errors == 1


def test_a_failure_that_ended_between_two_checks_restarts_the_healthy_minute() -> None:
    streak = Streak()
    streak.note(0, True, 0)
    streak.note(1, True, 30)
    streak.note(2, False, 65)
    assert streak.errors == 2
