from datetime import UTC, date, datetime, time, timedelta

import pytest

from sluice_runtime.domain.nyse_sessions import FIRST, HALF_DAYS, HOLIDAYS, LAST
from sluice_runtime.domain.trading_calendar import CalendarError, TradingCalendar, TradingDay, table_end_warning

MONDAY = date(2026, 11, 9)
DAY = timedelta(days=1)


def days(*numbers: int) -> list[TradingDay]:
    """Return trading days of November 2026."""
    return [TradingDay(day=date(2026, 11, number)) for number in numbers]


def test_the_table_has_holidays_half_days_and_weekends() -> None:
    calendar = TradingCalendar()
    assert all(calendar.trading_day(day) is None for day in HOLIDAYS)
    assert {calendar.trading_day(day) for day in HALF_DAYS} == {
        TradingDay(day=day, closes=time(13), extended_closes=time(17)) for day in HALF_DAYS
    }
    assert calendar.trading_day(MONDAY) == TradingDay(day=MONDAY)
    assert calendar.trading_day(MONDAY - DAY) is None


@pytest.mark.parametrize(("day", "covered"), [(FIRST - DAY, False), (FIRST, True), (LAST, True), (LAST + DAY, False)])
def test_the_table_covers_its_days(day: date, covered: bool) -> None:
    assert TradingCalendar().covers(day) is covered
    if not covered:
        assert TradingCalendar().trading_day(day) is None


def test_a_vendor_s_calendar_counts_up_to_its_last_trading_day() -> None:
    calendar = TradingCalendar().with_vendor_days(MONDAY, days(9, 10, 12))
    assert calendar.trading_day(date(2026, 11, 11)) is None
    assert calendar.trading_day(date(2026, 11, 13)) == TradingDay(day=date(2026, 11, 13))
    assert calendar.last_day == LAST


def test_days_before_the_first_requested_day_do_not_count() -> None:
    calendar = TradingCalendar().with_vendor_days(MONDAY + DAY, days(9, 10))
    assert calendar.vendor_days.keys() == {MONDAY + DAY}


def test_the_newest_calendar_of_the_vendor_replaces_the_previous_one() -> None:
    calendar = TradingCalendar().with_vendor_days(MONDAY, days(9, 10)).with_vendor_days(MONDAY + DAY, days(11, 12))
    assert calendar.trading_day(MONDAY + DAY) is None
    assert calendar.trading_day(MONDAY) == TradingDay(day=MONDAY)  # by the table


@pytest.mark.parametrize(
    "vendor_days",
    [
        [],
        days(2),
        days(9, 27),
        [TradingDay(day=MONDAY, opens=time(16), closes=time(9, 30))],
        [TradingDay(day=MONDAY, extended_opens=time(10))],
        [TradingDay(day=MONDAY, extended_closes=time(15))],
    ],
)
def test_a_calendar_that_cannot_be_right_is_refused(vendor_days: list[TradingDay]) -> None:
    with pytest.raises(CalendarError, match="the vendor's calendar"):
        TradingCalendar().with_vendor_days(MONDAY, vendor_days)


@pytest.mark.parametrize(("days_left", "text"), [(61, None), (60, "in 60 days"), (0, "in 0 days"), (-1, "ended on")])
def test_the_end_of_the_table_is_reported_60_days_before(days_left: int, text: str | None) -> None:
    now = datetime.combine(LAST - days_left * DAY, time(12), UTC)
    warning = table_end_warning(now)
    if text is None:
        assert warning is None
    else:
        assert warning is not None
        assert text in warning
        assert "update Sluice" in warning
