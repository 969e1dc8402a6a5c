"""The hours of the job's market: by its schedule, the newest calendar, and what has been observed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..aio.latest_value import LatestValue
from ..domain.desired import Desired
from ..domain.market_hours import MarketState, market_state, next_quotes_at, open_seconds_between
from ..domain.trading_calendar import TradingCalendar


class MarketClock:
    """Returns the state of the job's market at any instant. `state_at` is the `MarketHours` of all loops.

    The schedule is the one in `desired`. `set_calendar` replaces the calendar.
    """

    def __init__(self, desired: LatestValue[Desired], calendar: TradingCalendar | None = None) -> None:
        self._desired = desired
        self.calendar = calendar or TradingCalendar()
        self._silent_session_since: datetime | None = None  # the begin of the session in which no symbol trades

    def state_at(self, at: datetime) -> MarketState:
        """Return the state of the market at `at`. No quotes are expected while `presume_closed` is in effect."""
        scheduled = market_state(self._desired.value.market_schedule, self.calendar, at)
        if scheduled.session_since is None or scheduled.session_since != self._silent_session_since:
            return scheduled
        return msgspec.structs.replace(scheduled, quotes_since=None, is_presumed_closed=True)

    def next_quotes_at(self, at: datetime) -> datetime | None:
        """Return when the job's feed next has quotes; None if it has them at `at`, or if the time is unknown."""
        return next_quotes_at(self._desired.value.market_schedule, self.calendar, at)

    def open_seconds_between(self, begins: datetime, ends: datetime) -> float | None:
        """Return for how many seconds the job's feed has quotes between two instants; None if that is unknown."""
        return open_seconds_between(self._desired.value.market_schedule, self.calendar, begins, ends)

    def set_calendar(self, calendar: TradingCalendar) -> None:
        """Follow another calendar from now on."""
        self.calendar = calendar

    def presume_closed(self, at: datetime) -> None:
        """Expect no quotes until the current session ends or `end_presumption` is called.

        Call this when all symbols have been silent for long and the provider's REST interface has nothing newer:
        exchanges close at short notice, and not every provider has a calendar that shows this. The phase stays that of
        the calendar, because all symbols of a job can be thin. No effect on a market without sessions.
        """
        self._silent_session_since = market_state(self._desired.value.market_schedule, self.calendar, at).session_since

    def end_presumption(self) -> None:
        """Follow the calendar again. Call this when a quote has arrived or the REST interface has a newer one."""
        self._silent_session_since = None
