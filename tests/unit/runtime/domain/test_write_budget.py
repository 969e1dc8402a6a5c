from datetime import UTC, date, datetime, timedelta

import pytest

from sluice_runtime.domain.write_budget import (
    BudgetBalance,
    UsedUpBudget,
    budget_balance,
    budget_day,
    budget_pace,
    is_slowed,
    is_used_up,
    paced_interval,
    used_up_message,
)

HOUR = 3600.0


@pytest.mark.parametrize(
    ("at", "day", "hours"),
    [
        (datetime(2026, 11, 28, 7, 59, 59, tzinfo=UTC), date(2026, 11, 27), 24),
        (datetime(2026, 11, 28, 8, tzinfo=UTC), date(2026, 11, 28), 24),
        (datetime(2026, 3, 8, 12, tzinfo=UTC), date(2026, 3, 8), 23),  # clocks go forward at 2:00
        (datetime(2026, 11, 1, 12, tzinfo=UTC), date(2026, 11, 1), 25),  # clocks go back at 2:00
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_in_los_angeles(at: datetime, day: date, hours: int) -> None:
    found = budget_day(at)
    assert found.day == day
    assert found.ends - found.begins == timedelta(hours=hours)
    assert found.begins <= at < found.ends
    assert budget_day(found.begins) == found
    assert budget_day(found.ends).begins == found.ends


def test_the_seconds_that_are_left_are_never_negative() -> None:
    day = budget_day(datetime(2026, 11, 28, 12, tzinfo=UTC))
    assert day.seconds_left(day.ends - timedelta(seconds=5)) == 5
    assert day.seconds_left(day.ends + timedelta(seconds=5)) == 0


def test_heartbeats_to_the_end_of_the_day_and_two_percent_are_set_aside() -> None:
    assert budget_balance(20_000, 0, 24 * HOUR, 15) == BudgetBalance(20_000 - 5761 - 400, 20_000 - 5761)
    assert budget_balance(20_000, 15_000, HOUR, 15) == BudgetBalance(5000 - 241 - 400, 5000 - 241)


def test_a_balance_is_never_negative() -> None:
    assert budget_balance(20_000, 19_900, HOUR, 15) == BudgetBalance(0, 0)
    assert budget_balance(20_000, 19_700, HOUR, 15) == BudgetBalance(0, 59)


def test_the_pace_lasts_until_the_sessions_of_the_day_end_or_until_midnight() -> None:
    balance = BudgetBalance(7200, 7600)
    assert budget_pace(balance, 8 * HOUR, HOUR) == 2.0
    assert budget_pace(balance, 2 * HOUR, None) == 1.0
    assert budget_pace(balance, 2 * HOUR, 0.0) == 1.0  # no session is left
    assert budget_pace(balance, 0.0, None) == 7200  # the last second of the day


def test_an_interval_is_paced_only_if_it_is_longer_than_that_of_the_other_limits() -> None:
    assert paced_interval(100, 0.5, 8 * HOUR, 5.0) == 200
    assert paced_interval(100, 20.0, 8 * HOUR, 5.0) is None
    assert paced_interval(100, 0.0, 600, 5.0) == 600  # used up: not before the next day
    assert paced_interval(100, 0.001, 600, 5.0) == 600
    assert paced_interval(0, 0.0, 600, 5.0) is None


def test_a_job_is_slowed_from_80_percent_on_and_stops_before_the_last_document() -> None:
    assert [is_slowed(20_000, used) for used in (15_999, 16_000)] == [False, True]
    assert [is_used_up(20_000, BudgetBalance(left, 0), at_start=False) for left in (1, 0)] == [False, True]
    assert [is_used_up(20_000, BudgetBalance(left, 0), at_start=True) for left in (200, 199)] == [False, True]


def test_a_used_up_budget_lasts_until_the_next_day_or_a_larger_limit() -> None:
    used_up = UsedUpBudget(date(2026, 11, 28), 20_000)
    assert used_up.is_in_force(date(2026, 11, 28), 20_000)
    assert used_up.is_in_force(date(2026, 11, 28), 19_000)
    assert not used_up.is_in_force(date(2026, 11, 28), 20_001)
    assert not used_up.is_in_force(date(2026, 11, 29), 20_000)
    assert not used_up.is_in_force(date(2026, 11, 28), None)


def test_the_reason_of_the_pause_says_what_to_do_and_fits_the_status() -> None:
    message = used_up_message(100_000_000, date(2026, 11, 28), 1.0)
    assert "100000000 document writes for 2026-11-28" in message
    assert "Raise limits.writesPerDay" in message
    assert len(message) <= 256


def test_a_bound_below_the_heartbeats_of_a_day_is_named_as_the_cause() -> None:
    message = used_up_message(20_000, date(2026, 11, 28), 4.0)
    assert message.startswith("20000 document writes a day are not enough for a heartbeat every 4 s. Raise")
    assert "are used up" in used_up_message(20_000, date(2026, 11, 28), 5.0)
