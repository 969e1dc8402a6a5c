from sluice_contract.spec import AutoStopLimits
from sluice_runtime.domain.auto_stop import FailureStreak, exceeded_limit_message


def test_no_limit_is_never_reached() -> None:
    assert exceeded_limit_message(AutoStopLimits(), 1e9, 10**9) is None


def test_the_time_limit_is_reached_at_its_end_and_not_before() -> None:
    limits = AutoStopLimits(after_seconds=60)
    assert exceeded_limit_message(limits, 59.9, 0) is None
    assert exceeded_limit_message(limits, 60.0, 0) == "autoStop.afterSeconds: the job has streamed for 60 s"


def test_errors_count_up_to_their_limit() -> None:
    limits = AutoStopLimits(after_consecutive_errors=3)
    assert exceeded_limit_message(limits, 1e9, 2) is None
    assert exceeded_limit_message(limits, 0, 3) == "autoStop.afterConsecutiveErrors: 3 consecutive failures"


def test_failures_add_up_whether_or_not_the_stream_was_live_between() -> None:
    streak = FailureStreak(7)
    streak.update_from_total(8, False, 0)
    streak.update_from_total(8, True, 1)
    streak.update_from_total(10, False, 60.9)
    assert streak.consecutive_failures == 3


def test_a_healthy_minute_resets_the_failures() -> None:
    streak = FailureStreak()
    streak.update_from_total(2, False, 0)
    streak.update_from_total(2, True, 10)
    streak.update_from_total(2, True, 65)
    streak.update_from_total(3, False, 70)
    assert streak.consecutive_failures == 1


def test_a_failure_that_ended_between_two_checks_restarts_the_healthy_minute() -> None:
    streak = FailureStreak()
    streak.update_from_total(0, True, 0)
    streak.update_from_total(1, True, 30)
    streak.update_from_total(2, False, 65)
    assert streak.consecutive_failures == 2
