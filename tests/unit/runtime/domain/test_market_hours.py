from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest

from sluice_runtime.domain.market_hours import (
    ALWAYS_OPEN,
    OVERNIGHT_HOURS,
    REGULAR_AND_EXTENDED_HOURS,
    REGULAR_HOURS,
    UNKNOWN_HOURS,
    MarketSchedule,
    MarketState,
    market_hours,
    market_state,
    next_quotes_at,
    open_seconds_between,
    regular_and_extended_hours_of_job,
    with_sessions_of_job,
)
from sluice_runtime.domain.trading_calendar import TradingCalendar, TradingDay
from support.runtime_fakes import job_spec

ALL_SESSIONS = MarketSchedule(frozenset({"regular", "extended", "overnight"}))
IEX_HOURS = msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, exchange_hours=(time(8), time(17)))
DELAYED_HOURS = msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, delay=timedelta(minutes=15))
SIMULATED_REGULAR_HOURS = MarketSchedule(frozenset({"regular"}), "open")
TABLE_END = date(2031, 12, 31)
SECOND = timedelta(seconds=1)
OPEN_ON_MONDAY = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def closed(until: datetime | None) -> MarketState:
    return MarketState("closed", changes_at=until, calendar_ends_on=TABLE_END)


def sessions_between(schedule: MarketSchedule, begins: datetime, ends: datetime) -> list[tuple[str, str]]:
    """Return each change of the session or phase, with its time, in steps of five minutes."""
    hours, at = market_hours(schedule), begins
    found: list[tuple[str, str]] = []
    while at < ends:
        name = hours(at).session or hours(at).phase
        if not found or found[-1][1] != name:
            found.append((at.strftime("%a %H:%M"), name))
        at += timedelta(minutes=5)
    return found


def test_the_regular_session_begins_at_half_past_nine_and_ends_at_four() -> None:
    hours, close = market_hours(REGULAR_HOURS), utc(11, 23, 21)
    expected = MarketState("open", OPEN_ON_MONDAY, close, "regular", OPEN_ON_MONDAY, OPEN_ON_MONDAY, TABLE_END)
    assert hours(OPEN_ON_MONDAY - SECOND) == closed(OPEN_ON_MONDAY)
    assert hours(OPEN_ON_MONDAY) == expected
    assert hours(close - SECOND) == expected
    assert hours(close) == closed(utc(11, 24, 14, 30))


def test_extended_hours_and_the_regular_session_are_one_opening_with_three_sessions() -> None:
    hours, opens, closes = market_hours(REGULAR_AND_EXTENDED_HOURS), utc(11, 23, 9), utc(11, 24, 1)
    assert hours(opens - SECOND) == closed(opens)
    for at, session, since in (
        (opens, "extended", opens),
        (OPEN_ON_MONDAY, "regular", OPEN_ON_MONDAY),
        (utc(11, 23, 21), "extended", utc(11, 23, 21)),
    ):
        assert hours(at) == MarketState("open", opens, closes, session, since, since, TABLE_END)  # type: ignore[arg-type]
    assert hours(closes) == closed(utc(11, 24, 9))


def test_extended_hours_alone_are_closed_during_the_regular_session() -> None:
    hours = market_hours(MarketSchedule(frozenset({"extended"})))
    assert hours(utc(11, 23, 14, 29)).changes_at == OPEN_ON_MONDAY
    assert hours(OPEN_ON_MONDAY) == closed(utc(11, 23, 21))


def test_on_a_half_day_the_regular_session_ends_at_one_and_the_late_session_at_five() -> None:
    found = sessions_between(REGULAR_AND_EXTENDED_HOURS, utc(11, 27, 5), utc(11, 28, 5))
    assert found == [
        ("Fri 05:00", "closed"),
        ("Fri 09:00", "extended"),
        ("Fri 14:30", "regular"),
        ("Fri 18:00", "extended"),
        ("Fri 22:00", "closed"),
    ]


def test_the_overnight_session_is_on_the_evening_before_each_trading_day() -> None:
    """In the week of Thanksgiving there is none before the holiday and none before the weekend."""
    assert sessions_between(OVERNIGHT_HOURS, utc(11, 24, 12), utc(12, 1, 0)) == [
        ("Tue 12:00", "closed"),
        ("Wed 01:00", "overnight"),
        ("Wed 09:00", "closed"),
        ("Fri 01:00", "overnight"),
        ("Fri 09:00", "closed"),
        ("Mon 01:00", "overnight"),
        ("Mon 09:00", "closed"),
    ]


def test_with_all_sessions_the_market_is_open_from_sunday_evening_to_friday_evening() -> None:
    opens, closes = utc(11, 16, 1), utc(11, 21, 1)
    hours = market_hours(ALL_SESSIONS)
    assert hours(opens - SECOND) == closed(opens)
    for at in (opens, utc(11, 18, 3), utc(11, 20, 15), closes - SECOND):
        assert (hours(at).since, hours(at).changes_at) == (opens, closes)
    assert hours(utc(11, 18, 3)).session_since == utc(11, 18, 1)
    assert hours(closes) == closed(utc(11, 23, 1))


def test_in_summer_sessions_begin_an_hour_earlier_for_the_rest_of_the_world() -> None:
    hours = market_hours(REGULAR_HOURS)
    assert (hours(utc(7, 1, 13, 30)).since, hours(utc(7, 1, 13, 30)).changes_at) == (utc(7, 1, 13, 30), utc(7, 1, 20))
    assert hours(utc(7, 1, 20)) == closed(utc(7, 2, 13, 30))


@pytest.mark.parametrize(
    ("friday", "sunday", "monday"),
    [
        (utc(3, 6, 22), utc(3, 9, 0), utc(3, 9, 13, 30)),  # clocks advance on the Sunday
        (utc(10, 30, 22), utc(11, 2, 1), utc(11, 2, 14, 30)),  # clocks go back on the Sunday
    ],
)
def test_clocks_change_between_two_sessions(friday: datetime, sunday: datetime, monday: datetime) -> None:
    assert market_hours(REGULAR_HOURS)(friday) == closed(monday)
    assert market_hours(OVERNIGHT_HOURS)(friday) == closed(sunday)
    assert market_hours(OVERNIGHT_HOURS)(sunday).changes_at == monday - timedelta(hours=5, minutes=30)


@pytest.mark.parametrize("day", [21, 22, 26, 28, 29])
def test_weekends_and_thanksgiving_have_no_session(day: int) -> None:
    hours = market_hours(REGULAR_AND_EXTENDED_HOURS)
    assert {hours(utc(11, day, hour)).phase for hour in range(5, 24)} == {"closed"}


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (utc(11, 20, 21), OPEN_ON_MONDAY),  # a weekend
        (utc(11, 25, 21), utc(11, 27, 14, 30)),  # Thanksgiving
        (utc(12, 24, 18), utc(12, 28, 14, 30)),  # a half day, Christmas and a weekend
    ],
)
def test_a_closed_market_opens_on_the_next_trading_day(at: datetime, opening: datetime) -> None:
    assert market_hours(REGULAR_HOURS)(at) == closed(opening)


def test_the_next_opening_is_unknown_after_the_last_day_of_the_table() -> None:
    assert market_hours(REGULAR_HOURS)(datetime(2031, 12, 31, 22, tzinfo=UTC)) == closed(None)


def test_the_zone_of_an_instant_does_not_matter() -> None:
    hours = market_hours(ALL_SESSIONS)
    assert hours(OPEN_ON_MONDAY.astimezone(tz=None)) == hours(OPEN_ON_MONDAY)


@pytest.mark.parametrize("year", [1999, 2024, 2032, 2100])
def test_the_state_of_a_date_out_of_the_table_is_unknown(year: int) -> None:
    at = datetime(year, 6, 15, 15, tzinfo=UTC)
    assert market_hours(REGULAR_HOURS)(at) == MarketState("unknown", calendar_ends_on=TABLE_END)


def test_a_vendor_s_calendar_changes_the_hours_of_its_days() -> None:
    """The exchanges close on a Wednesday at short notice, and close early on the Thursday after it."""
    thursday = TradingDay(day=date(2026, 11, 12), closes=time(13))
    days = [TradingDay(day=date(2026, 11, 10)), thursday, TradingDay(day=date(2026, 11, 13))]
    calendar = TradingCalendar().with_vendor_days(date(2026, 11, 10), days)
    assert market_state(REGULAR_HOURS, calendar, utc(11, 11, 15)) == closed(utc(11, 12, 14, 30))
    assert market_state(OVERNIGHT_HOURS, calendar, utc(11, 11, 3)).phase == "closed"
    assert market_state(REGULAR_HOURS, calendar, utc(11, 12, 15)).changes_at == utc(11, 12, 18)
    assert market_state(REGULAR_HOURS, calendar, utc(11, 16, 15)).phase == "open"  # by the table again


def test_the_overnight_session_ends_at_four_whenever_extended_hours_begin() -> None:
    day = TradingDay(day=date(2026, 11, 10), extended_opens=time(9, 30))
    calendar = TradingCalendar().with_vendor_days(day.day, [day])
    assert market_state(OVERNIGHT_HOURS, calendar, utc(11, 10, 3)).changes_at == utc(11, 10, 9)
    assert market_state(ALL_SESSIONS, calendar, utc(11, 10, 10)) == closed(utc(11, 10, 14, 30))


def test_after_the_table_ends_a_vendor_s_calendar_is_enough() -> None:
    days = [TradingDay(day=date(2032, 1, day)) for day in (5, 6, 7)]
    calendar = TradingCalendar().with_vendor_days(date(2032, 1, 4), days)
    state = market_state(REGULAR_HOURS, calendar, datetime(2032, 1, 6, 15, tzinfo=UTC))
    assert (state.phase, state.calendar_ends_on) == ("open", date(2032, 1, 7))


def test_the_sessions_of_a_job_replace_those_of_its_feed() -> None:
    assert with_sessions_of_job(ALWAYS_OPEN, job_spec()) == ALWAYS_OPEN
    assert with_sessions_of_job(ALWAYS_OPEN, job_spec(sessions=["regular"])) == SIMULATED_REGULAR_HOURS
    assert regular_and_extended_hours_of_job(job_spec()) == REGULAR_AND_EXTENDED_HOURS
    assert regular_and_extended_hours_of_job(job_spec(sessions=["regular"])) == REGULAR_HOURS


def quotes_since(schedule: MarketSchedule, *instants: datetime) -> list[datetime | None]:
    return [market_hours(schedule)(at).quotes_since for at in instants]


def test_iex_has_quotes_from_eight_to_five_while_the_market_is_open_from_four_to_eight() -> None:
    early, late = utc(11, 23, 13), utc(11, 23, 22)
    states = [market_hours(IEX_HOURS)(at) for at in (early - SECOND, early, late - SECOND, late)]
    assert [each.session for each in states] == ["extended"] * 4
    assert [each.quotes_since for each in states] == [None, early, utc(11, 23, 21), None]
    assert [each.expects_quotes for each in states] == [False, True, True, False]
    assert quotes_since(IEX_HOURS, OPEN_ON_MONDAY) == [OPEN_ON_MONDAY]


def test_a_delayed_feed_has_the_quotes_of_a_session_later_than_the_session() -> None:
    opens, close, late = utc(11, 23, 9), utc(11, 23, 21), timedelta(minutes=15)
    found = quotes_since(DELAYED_HOURS, opens, opens + late, close, close + late - SECOND, close + late)
    regular = OPEN_ON_MONDAY + late
    assert found == [None, opens + late, regular, regular, close + late]


@pytest.mark.parametrize(
    ("schedule", "expected"), [(ALWAYS_OPEN, True), (UNKNOWN_HOURS, False), (OVERNIGHT_HOURS, False)]
)
def test_quotes_are_expected_while_the_market_is_open(schedule: MarketSchedule, expected: bool) -> None:
    assert market_hours(schedule)(OPEN_ON_MONDAY).expects_quotes is expected


def test_no_market_without_sessions_opens_or_closes() -> None:
    assert market_hours(ALWAYS_OPEN)(OPEN_ON_MONDAY) == MarketState("open")
    assert market_hours(UNKNOWN_HOURS)(OPEN_ON_MONDAY) == MarketState("unknown")


@pytest.mark.parametrize(
    ("schedule", "at", "expected"),
    [
        (REGULAR_HOURS, utc(11, 29, 12), utc(11, 30, 14, 30)),  # a Sunday
        (REGULAR_AND_EXTENDED_HOURS, utc(11, 29, 12), utc(11, 30, 9)),
        (IEX_HOURS, utc(11, 29, 12), utc(11, 30, 13)),
        (IEX_HOURS, utc(11, 30, 10), utc(11, 30, 13)),  # extended hours, but before those of the exchange
        (IEX_HOURS, utc(11, 30, 23), utc(12, 1, 13)),  # after those of the exchange
        (DELAYED_HOURS, utc(11, 29, 12), utc(11, 30, 9, 15)),
        (DELAYED_HOURS, utc(11, 30, 9, 5), utc(11, 30, 9, 15)),
        (OVERNIGHT_HOURS, utc(11, 29, 12), utc(11, 30, 1)),  # Sunday evening in New York
        (REGULAR_HOURS, utc(11, 26, 12), utc(11, 27, 14, 30)),  # Thanksgiving
        (REGULAR_HOURS, utc(11, 30, 15), None),
        (DELAYED_HOURS, utc(11, 30, 9, 20), None),
        (ALWAYS_OPEN, utc(11, 29, 12), None),
        (UNKNOWN_HOURS, utc(11, 29, 12), None),
        (REGULAR_HOURS, datetime(2040, 1, 1, 12, tzinfo=UTC), None),  # the table ends before
    ],
)
def test_the_time_of_the_next_quotes_follows_the_sessions_and_the_hours_of_the_feed(
    schedule: MarketSchedule, at: datetime, expected: datetime | None
) -> None:
    assert next_quotes_at(schedule, TradingCalendar(), at) == expected


HOUR = 3600.0


@pytest.mark.parametrize(
    ("schedule", "begins", "hours"),
    [
        (REGULAR_HOURS, utc(11, 23, 8), 6.5),  # Monday, midnight in Los Angeles
        (REGULAR_HOURS, utc(11, 23, 20), 1.0),
        (REGULAR_HOURS, utc(11, 23, 22), 0.0),
        (REGULAR_AND_EXTENDED_HOURS, utc(11, 23, 8), 16.0),
        (ALL_SESSIONS, utc(11, 23, 8), 24.0),
        (ALL_SESSIONS, utc(11, 22, 8), 7.0),  # Sunday, from 20:00 in New York on
        (MarketSchedule(frozenset({"extended"})), utc(11, 23, 8), 9.5),
        (REGULAR_HOURS, utc(11, 28, 8), 0.0),  # Saturday
        (REGULAR_HOURS, utc(11, 27, 8), 3.5),  # a half day
        (IEX_HOURS, utc(11, 23, 8), 9.0),
        (DELAYED_HOURS, utc(11, 23, 8), 16.0),
        (DELAYED_HOURS, utc(11, 24, 1), 0.25),
    ],
)
def test_the_open_seconds_are_those_of_the_sessions_to_the_end_of_the_day(
    schedule: MarketSchedule, begins: datetime, hours: float
) -> None:
    ends = begins.replace(hour=8) + (timedelta(days=1) if begins.hour >= 8 else timedelta())
    assert open_seconds_between(schedule, TradingCalendar(), begins, ends) == hours * HOUR


@pytest.mark.parametrize(("schedule", "year"), [(ALWAYS_OPEN, 2026), (UNKNOWN_HOURS, 2026), (REGULAR_HOURS, 2099)])
def test_the_open_seconds_are_unknown_without_sessions_or_calendar(schedule: MarketSchedule, year: int) -> None:
    begins = datetime(year, 11, 23, 8, tzinfo=UTC)
    assert open_seconds_between(schedule, TradingCalendar(), begins, begins + timedelta(days=1)) is None
