"""Keeps the market's calendar up to date: from the provider's calendar once a day, where there is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta

from ..aio.latest_value import wait_for_any_change
from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.market_hours import NEW_YORK
from ..domain.trading_calendar import CalendarError, TradingDay, table_end_warning
from .market_clock import MarketClock
from .stream_parts import StreamParts

_log = logging.getLogger(__name__)
_CALENDAR = {"event_type": "calendar"}

_DAY = timedelta(days=1)
_SECONDS_PER_DAY = _DAY.total_seconds()
_DAYS_AHEAD = timedelta(days=60)

FetchTradingDays = Callable[[date, date], Awaitable[Sequence[TradingDay]]]


class MarketCalendarLoop:
    """Replaces the calendar of the market clock once a day, and reports when the table of this version ends.

    `fetch_trading_days` requests the trading days from one day to another from the provider; None if the provider has
    no calendar or its URL is unknown. Nothing is requested while the stream is not live, because its key pair may have
    been refused, or for a market without sessions.
    """

    def __init__(
        self, fetch_trading_days: FetchTradingDays | None, market: MarketClock, parts: StreamParts, backoff: Backoff
    ) -> None:
        self._fetch_trading_days = fetch_trading_days
        self._market = market
        self._desired = parts.desired
        self._stream = parts.stream
        self._instruments = parts.instruments
        self._backoff = backoff
        self._failure = ""

    async def run(self) -> None:
        """Refresh the calendar and check the end of the table, once a day, until cancelled."""
        while True:
            await self._wait_until_needed()
            if warning := table_end_warning(self._instruments.now()):
                _log.warning("%s", warning, extra=_CALENDAR)
            await asyncio.sleep(await self._refresh())

    async def _wait_until_needed(self) -> None:
        transitions, desired = self._instruments.transitions, self._desired
        while True:
            seen = (transitions, transitions.version), (desired, desired.version)
            if self._stream.state == "Live" and desired.value.market_schedule.sessions:
                return
            await wait_for_any_change(*seen)

    async def _refresh(self) -> float:
        """Replace the calendar by the provider's newest one. Return the seconds until the next refresh."""
        if self._fetch_trading_days is None:
            return _SECONDS_PER_DAY
        first = self._instruments.now().astimezone(NEW_YORK).date() - _DAY
        try:
            days = await self._fetch_trading_days(first, first + _DAYS_AHEAD)
            calendar = self._market.calendar.with_vendor_days(first, days)
        except CalendarError as error:
            self._record_failure(str(error))
            return self._backoff.next_delay(at_least=60.0)
        self._market.set_calendar(calendar)
        self._failure = ""
        self._backoff.reset()
        differences = calendar.differences_from_table()
        _log.info(
            "the provider's calendar has %d trading days up to %s%s",
            len(calendar.vendor_days),
            calendar.vendor_last,
            f"; it differs from this version's table on {', '.join(map(str, differences))}" if differences else "",
            extra=_CALENDAR,
        )
        return _SECONDS_PER_DAY

    def _record_failure(self, message: str) -> None:
        """Count a failure. Log its message unless it is that of the last failure."""
        increment(self._instruments.counters.errors, "calendar")
        if message != self._failure:
            self._failure = message
            _log.warning(
                "no calendar from the provider: %s; the last calendar counts, then this version's table",
                message,
                extra=_CALENDAR,
            )
