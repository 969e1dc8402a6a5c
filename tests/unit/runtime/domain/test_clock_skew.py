"""The skew of this node's clock, from statements of the provider's time and from the timestamps of its ticks.

Also looked at: clocks ahead and behind, steps by an hour in both directions (also by the start of daylight saving time,
which must not matter), a suspended node, late feeds, wrong timestamps, caches, and headers that are no dates.
"""

from datetime import UTC, datetime, timedelta

import pytest

from sluice_runtime.domain.clock_skew import ClockReading, ClockSkewAlarm, ClockSkewEstimator, date_header_reading
from support.virtual_time import START


def ts(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(at: float, error: float = 0.0, delay: float = 0.1) -> ClockReading:
    """Return what a Date header says at `at`, if the provider's clock is START + at + error."""
    whole = ts(at + error).replace(microsecond=0)
    return ClockReading(earliest=whole, latest=whole + timedelta(seconds=1), sent_at=at - delay, received_at=at)


def estimator(*ticks: tuple[float, float]) -> ClockSkewEstimator:
    """Return an estimator that has seen ticks with these pairs of timestamp and arrival, in seconds."""
    made = ClockSkewEstimator(has_provider_timestamps=True)
    for stamp, at in ticks:
        made.record_timestamp(ts(stamp), at)
    return made


def test_the_skew_is_unknown_at_first() -> None:
    assert estimator().skew_seconds(START, 0.0) is None


@pytest.mark.parametrize("error", [-3600.0, -30.0, -1.0, 0.0, 1.0, 30.0, 3600.0])
def test_a_date_header_is_exact_to_less_than_a_second(error: float) -> None:
    made = estimator()
    made.record_reading(reading(10.0))
    skew = made.skew_seconds(ts(10 + error), 10.0)
    assert skew is not None
    assert abs(skew - error) <= 0.6


def test_several_date_headers_are_more_exact_than_one() -> None:
    made = estimator()
    for number in range(50):
        made.record_reading(reading(number * 1.37))
    skew = made.skew_seconds(ts(70 + 5), 70.0)
    assert skew is not None
    assert abs(skew - 5) <= 0.1


def test_a_step_of_the_clock_shows_at_once_without_a_new_statement() -> None:
    made = estimator()
    made.record_reading(reading(10.0))
    before, after = made.skew_seconds(ts(20), 20.0), made.skew_seconds(ts(20 - 3600), 20.0)
    assert before is not None
    assert after == pytest.approx(before - 3600)


def test_timestamps_alone_show_a_clock_that_is_behind() -> None:
    skew = estimator(*((at - 0.2, at) for at in range(10))).skew_seconds(ts(10 - 30), 10.0)
    assert skew is not None
    assert skew == pytest.approx(-29.8)


def test_timestamps_alone_cannot_distinguish_a_clock_that_is_ahead_from_a_late_feed() -> None:
    assert estimator(*((at - 0.2, at) for at in range(10))).skew_seconds(ts(10 + 30), 10.0) is None


def test_one_wrong_timestamp_is_not_evidence() -> None:
    assert estimator((0, 0), (3600, 1), (2, 2), (3, 3)).skew_seconds(ts(4.5), 4.0) is None


def test_old_timestamps_are_not_evidence() -> None:
    made = estimator(*((at, at) for at in range(10)))
    assert made.skew_seconds(ts(-30), 0.0) is not None
    assert made.skew_seconds(ts(500 - 30), 500.0) is None


def test_timestamps_set_on_this_node_are_ignored() -> None:
    made = ClockSkewEstimator(has_provider_timestamps=False)
    made.record_reading(reading(0.0))
    for at in range(10):
        made.record_timestamp(ts(at + 3600), float(at))
    skew = made.skew_seconds(ts(10 + 3600), 10.0)
    assert skew is not None
    assert abs(skew - 3600) <= 1


def test_a_feed_that_is_15_minutes_late_does_not_make_the_clock_wrong() -> None:
    made = estimator(*((at - 900, at) for at in range(10)))
    made.record_reading(reading(10.0))
    skew = made.skew_seconds(ts(10), 10.0)
    assert skew is not None
    assert abs(skew) <= 0.6


def test_timestamps_narrow_a_date_header() -> None:
    made = estimator(*((at - 0.01, at) for at in range(10)))
    made.record_reading(ClockReading(earliest=ts(8.9), latest=ts(10.1), sent_at=10.0, received_at=10.0))
    skew = made.skew_seconds(ts(10), 10.0)
    assert skew is not None
    assert abs(skew) <= 0.06


def test_after_a_suspension_the_earlier_statement_counts_no_more() -> None:
    # The monotonic clock stood still for an hour, and this node's clock is right.
    made = estimator()
    made.record_reading(reading(10.0))
    for at in range(11, 20):
        made.record_timestamp(ts(at + 3600), float(at))
    assert made.skew_seconds(ts(20.5 + 3600), 20.0) is None
    made.record_reading(reading(21.0, error=3600))
    skew = made.skew_seconds(ts(21 + 3600), 21.0)
    assert skew is not None
    assert abs(skew) <= 0.6


def test_a_date_that_is_earlier_than_the_quotes_of_its_response_is_not_the_provider_s() -> None:
    made = estimator()
    made.record_reading(reading(1.0))
    made.record_snapshot(reading(2.0), [ts(7200), ts(7201)])
    assert made.skew_seconds(ts(7202), 2.0) is None
    made.record_reading(reading(3.0))
    assert made.skew_seconds(ts(7203), 3.0) is None
    made.record_snapshot(reading(4.0), [ts(3), ts(-100)])
    assert made.skew_seconds(ts(4), 4.0) == pytest.approx(0, abs=0.6)


def test_one_wrong_quote_of_a_snapshot_does_not_make_its_date_wrong() -> None:
    made = estimator()
    made.record_snapshot(reading(2.0), [ts(7200), ts(1)])
    assert made.skew_seconds(ts(2), 2.0) is not None
    made.record_snapshot(None, [ts(7200)])
    assert made.skew_seconds(ts(2), 2.0) is not None


def test_a_date_header_is_read() -> None:
    found = date_header_reading("Mon, 02 Mar 2026 15:00:00 GMT", "", 1.0, 2.0)
    assert found == ClockReading(earliest=START, latest=ts(1), sent_at=1.0, received_at=2.0)


def test_the_age_of_a_cached_response_is_added() -> None:
    found = date_header_reading("Mon, 02 Mar 2026 15:00:00 GMT", "7", 1.0, 2.0)
    assert found is not None
    assert found.earliest <= ts(8) <= found.latest


@pytest.mark.parametrize(
    "header", ["", "soon", "Mon, 99 Mar 2026 15:00:00 GMT", "2026-03-02T15:00:00Z", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_a_header_that_is_no_date_says_nothing(header: str) -> None:
    assert date_header_reading(header, "", 0.0, 0.0) is None


@pytest.mark.parametrize("age", ["", "-1", "\u0667", "7" * 5000, "1e3"])
def test_an_age_that_is_no_number_of_seconds_does_not_count(age: str) -> None:
    found = date_header_reading("Mon, 02 Mar 2026 15:00:00 GMT", age, 1.0, 2.0)
    assert found == ClockReading(earliest=START, latest=ts(1), sent_at=1.0, received_at=2.0)


def test_a_date_without_a_zone_is_in_utc() -> None:
    found = date_header_reading("Mon, 02 Mar 2026 15:00:00 -0000", "x", 0.0, 0.0)
    assert found is not None
    assert found.earliest == datetime(2026, 3, 2, 15, tzinfo=UTC)


def changes(*skews: float | None) -> list[float | None]:
    """Return the estimates that are reported."""
    alarm = ClockSkewAlarm()
    return [skew for skew in skews if alarm.update_and_check_change(skew)]


def test_a_skew_is_reported_above_2_seconds_and_when_it_changes_and_when_it_is_over() -> None:
    assert changes(None, 0.5, 1.9, -2.0) == []
    assert changes(2.1, 2.2, 3.9) == [2.1]
    assert changes(-30.0, -30.4, None, -33.0, 0.2, 0.3, 1.5) == [-30.0, -33.0, 0.2]


def test_a_skew_between_the_limits_stays_reported() -> None:
    alarm = ClockSkewAlarm()
    for skew in (2.5, 1.5, 1.2):
        alarm.update_and_check_change(skew)
    assert alarm.is_active
    assert alarm.update_and_check_change(0.9)
    assert not alarm.is_active
