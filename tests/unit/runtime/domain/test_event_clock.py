"""The limit for timestamps: it never depends on this node's clock, and a wrong timestamp never holds for long."""

import random
from datetime import datetime, timedelta

import pytest

from sluice_runtime.domain.event_clock import UNLIMITED, EventClock
from support.virtual_time import START


def ts(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clock(*samples: tuple[float, float]) -> EventClock:
    """Return a clock that has seen these pairs of timestamp and arrival, both in seconds."""
    made = EventClock()
    for stamp, at in samples:
        made.observe_timestamp(ts(stamp), at)
    return made


def test_before_the_first_timestamp_there_is_no_limit() -> None:
    assert EventClock().latest_plausible_time(0.0) == UNLIMITED
    assert EventClock().latest_plausible_snapshot_time(0.0) == UNLIMITED


def test_the_limit_goes_on_with_the_monotonic_clock() -> None:
    assert clock((0, 0)).latest_plausible_time(0.0) == ts(5)
    assert clock((0, 0)).latest_plausible_time(60.0) == ts(65)


def test_late_timestamps_do_not_lower_the_limit() -> None:
    assert clock((0, 0), (-20, 1), (-19, 2), (3, 3)).latest_plausible_time(3.0) == ts(8)


def test_one_timestamp_far_in_the_future_changes_nothing() -> None:
    assert clock((0, 0), (3600, 1), (2, 2)).latest_plausible_time(2.0) == ts(7)


def test_wrong_timestamps_between_right_ones_change_nothing() -> None:
    samples = [(3600 + at if at % 2 else at, at) for at in range(60)]
    assert clock(*samples).latest_plausible_time(60.0) == ts(65)


def test_two_timestamps_in_a_row_raise_the_limit_to_the_earlier_of_them() -> None:
    assert clock((0, 0), (3600, 1), (3601.5, 2)).latest_plausible_time(2.0) == ts(3606)
    assert clock((0, 0), (9999, 1), (3602, 2)).latest_plausible_time(2.0) == ts(3607)


def test_a_wrong_first_timestamp_is_forgotten_after_10_seconds() -> None:
    found = clock((3600, 0), *((at, at) for at in range(1, 10)))
    assert found.latest_plausible_time(9.0) == ts(3614)
    found.observe_timestamp(ts(10), 10.0)
    assert found.latest_plausible_time(10.0) == ts(15)


def test_a_wrong_first_timestamp_of_a_slow_feed_is_forgotten_with_the_second_right_one() -> None:
    assert clock((3600, 0), (60, 60), (120, 120)).latest_plausible_time(120.0) == ts(125)


def test_a_single_late_timestamp_after_a_long_silence_lowers_nothing() -> None:
    assert clock((0, 0), (40, 60)).latest_plausible_time(60.0) == ts(65)


def test_the_provider_s_clock_corrects_a_wrong_first_timestamp_at_once() -> None:
    found = clock((3600, 0))
    found.observe_provider_time(ts(1), 1.0)
    assert found.latest_plausible_time(1.0) == ts(6)


def test_the_provider_s_clock_is_the_limit_before_the_first_timestamp() -> None:
    found = EventClock()
    found.observe_provider_time(ts(0), 0.0)
    found.observe_timestamp(ts(3600), 1.0)
    assert found.latest_plausible_time(1.0) == ts(6)


def test_a_feed_that_is_15_minutes_late_has_a_limit_of_its_own_and_its_snapshots_that_of_the_provider() -> None:
    found = EventClock()
    found.observe_provider_time(ts(0), 0.0)
    for at in range(1, 20):
        found.observe_timestamp(ts(at - 900), float(at))
    found.observe_provider_time(ts(20), 20.0)
    assert found.latest_plausible_time(20.0) == ts(-875)
    assert found.latest_plausible_snapshot_time(20.0) == ts(25)


def test_a_process_that_was_suspended_for_an_hour_follows_the_new_timestamps() -> None:
    # The monotonic clock stands still meanwhile.
    found = clock((0, 0), (1, 1), (3601, 2), (3602, 3))
    assert found.latest_plausible_time(3.0) == ts(3607)


def test_an_endless_timestamp_sets_no_limit_and_raises_nothing() -> None:
    latest = datetime.max.replace(tzinfo=START.tzinfo)
    found = EventClock()
    found.observe_timestamp(latest, 0.0)
    assert found.latest_plausible_time(1.0) == UNLIMITED
    found.observe_timestamp(ts(11), 11.0)
    found.observe_timestamp(ts(12), 12.0)
    assert found.latest_plausible_time(12.0) == ts(17)


def test_ten_samples_a_second_are_enough() -> None:
    found = clock((0, 0), (3600, 0.05), (3600, 0.06))
    assert found.latest_plausible_time(0.06) == ts(5.06)


def test_two_quotes_of_a_snapshot_that_are_later_than_its_date_raise_the_limit_and_one_does_not() -> None:
    found = EventClock()
    found.observe_provider_time(ts(0), 0.0)
    found.observe_snapshot([ts(7200), ts(-50)], 1.0)
    assert found.latest_plausible_snapshot_time(1.0) == ts(6)
    found.observe_timestamp(ts(2), 2.0)
    found.observe_snapshot([ts(7200), ts(7199), ts(-50)], 3.0)
    assert found.latest_plausible_snapshot_time(3.0) == ts(7204)


def test_old_quotes_of_a_snapshot_lower_nothing() -> None:
    found = clock((0, 0))
    for at in (10.0, 30.0, 60.0):
        found.observe_snapshot([ts(-3600), ts(-7200)], at)
    assert found.latest_plausible_time(60.0) == ts(65)


@pytest.mark.parametrize("seed", range(5))
def test_with_delays_and_rare_wrong_timestamps_every_true_one_is_plausible_and_no_wrong_one(seed: int) -> None:
    rng = random.Random(seed)
    found, at = clock((0, 0)), 0.0
    for number in range(5000):
        at += rng.expovariate(2)
        stamp = at - min(rng.expovariate(3), 4.0)
        is_wrong = number % 50 == 7
        limit = found.latest_plausible_time(at)
        assert ts(stamp) <= limit < ts(at + 60)
        found.observe_timestamp(ts(at + 600) if is_wrong else ts(stamp), at)
