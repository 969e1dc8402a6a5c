"""Regular hours agree with the library that generated the table, at every fifth minute of every year of the table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import exchange_calendars
import pytest

from sluice_runtime.domain.market_hours import NEW_YORK, REGULAR_HOURS, market_hours
from sluice_runtime.domain.nyse_sessions import FIRST, HALF_DAYS, LAST

STEP = timedelta(minutes=5)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # the library itself uses pandas


@pytest.fixture(scope="module")
def regular_sessions() -> list[tuple[datetime, datetime]]:
    """Return the opening and the close of each session of the table's years, by the library."""
    schedule = exchange_calendars.get_calendar("XNYS", start=str(FIRST), end=str(LAST)).schedule
    return [(row.open.to_pydatetime(), row.close.to_pydatetime()) for row in schedule.itertuples()]


@pytest.mark.parametrize("year", range(FIRST.year, LAST.year + 1))
def test_the_market_is_open_at_the_same_fifth_minutes_as_in_the_library(year: int, regular_sessions: Any) -> None:
    hours, at, end = (
        market_hours(REGULAR_HOURS),
        datetime(year, 1, 1, 6, tzinfo=UTC),
        datetime(year + 1, 1, 1, tzinfo=UTC),
    )
    expected = {
        opens + count * STEP
        for opens, closes in regular_sessions
        if opens.year == year
        for count in range((closes - opens) // STEP)
    }
    found = set()
    while at < end:
        if hours(at).phase == "open":
            found.add(at)
        at += STEP
    assert found ^ expected == set()


def test_each_session_begins_and_ends_at_the_second_of_the_library(regular_sessions: Any) -> None:
    hours = market_hours(REGULAR_HOURS)
    for opens, closes in regular_sessions:
        states = [hours(at) for at in (opens - SECOND, opens, closes - SECOND, closes)]
        assert [each.phase for each in states] == ["closed", "open", "open", "closed"], opens
        assert (states[0].changes_at, states[1].since, states[1].changes_at) == (opens, opens, closes)


def test_half_days_are_those_of_the_library(regular_sessions: Any) -> None:
    early = {opens.date() for opens, closes in regular_sessions if closes.astimezone(NEW_YORK).hour < 16}
    assert early == HALF_DAYS
    assert {
        closes.astimezone(NEW_YORK).time().isoformat() for opens, closes in regular_sessions if opens.date() in early
    } == {"13:00:00"}
