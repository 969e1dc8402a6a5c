"""The table of trading days agrees with the library that generated it."""

from datetime import datetime, timedelta

import exchange_calendars
import pytest

from sluice_runtime.domain.market_hours import new_york_market_state
from sluice_runtime.domain.nyse_sessions import FIRST, LAST


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # the library itself uses pandas
def test_every_day_of_the_table_opens_and_closes_when_the_library_says() -> None:
    library = exchange_calendars.get_calendar("XNYS", start=str(FIRST), end=str(LAST))
    schedule = {each.date(): library.schedule.loc[each] for each in library.sessions}
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        if day not in schedule:
            assert {
                new_york_market_state(datetime.fromisoformat(f"{day}T{hour:02}:00Z")).phase for hour in range(5, 24)
            } == {"closed"}
            continue
        opens, closes = schedule[day]["open"].to_pydatetime(), schedule[day]["close"].to_pydatetime()
        moments = [
            new_york_market_state(each)
            for each in (opens - timedelta(seconds=1), opens, closes - timedelta(seconds=1), closes)
        ]
        assert [each.phase for each in moments] == ["closed", "open", "open", "closed"], day
        assert moments[1].since == opens
