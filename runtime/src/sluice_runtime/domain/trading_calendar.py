"""The trading days of the New York exchanges, from the table of this version and from a vendor's calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

import msgspec

from .nyse_sessions import FIRST, HALF_DAYS, HOLIDAYS, LAST

EXTENDED_OPEN = time(4)
_REGULAR_CLOSE, _EARLY_CLOSE = time(16), time(13)
_EXTENDED_CLOSE, _EARLY_EXTENDED_CLOSE = time(20), time(17)

_SATURDAY = 5
_WARNING_DAYS = 60
# The exchanges have never been closed for longer since 1914, so a vendor's calendar with such a gap is incomplete.
_LONGEST_CLOSURE = timedelta(days=14)


class CalendarError(Exception):
    """A vendor's calendar is not available or cannot be right. The message is a sentence, without secrets."""


class TradingDay(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of one trading day, in New York local time.

    The regular session is from `opens` to `closes`. The extended session has two parts: from `extended_opens` to
    `opens`, and from `closes` to `extended_closes`.
    """

    day: date
    extended_opens: time = EXTENDED_OPEN
    opens: time = time(9, 30)
    closes: time = _REGULAR_CLOSE
    extended_closes: time = _EXTENDED_CLOSE


class TradingCalendar(msgspec.Struct, frozen=True):
    """The trading days of the New York exchanges.

    From `vendor_first` to `vendor_last`, the days are those of a vendor's calendar, by date. All other days are those
    of the table of this version.
    """

    vendor_first: date = date.max
    vendor_last: date = date.min
    vendor_days: Mapping[date, TradingDay] = {}

    @property
    def last_day(self) -> date:
        """The last day that the calendar covers."""
        return max(LAST, self.vendor_last)

    def covers(self, day: date) -> bool:
        """Return True if it is known whether there is trading on `day`."""
        return self._is_covered_by_vendor(day) or FIRST <= day <= LAST

    def trading_day(self, day: date) -> TradingDay | None:
        """Return the hours of `day`; None if there is no trading or the calendar does not cover the day."""
        if self._is_covered_by_vendor(day):
            return self.vendor_days.get(day)
        return _trading_day_of_table(day)

    def with_vendor_days(self, first: date, days: Iterable[TradingDay]) -> TradingCalendar:
        """Return the calendar with a vendor's trading days from `first` on, in place of the previous vendor's days.

        The vendor's calendar counts up to its last trading day: it may end before the day up to which it was requested.

        Raises:
            CalendarError: the vendor's calendar is empty, incomplete or inconsistent.
        """
        by_day = {each.day: each for each in days if each.day >= first}
        previous = first
        for day, hours in sorted(by_day.items()):
            if day - previous > _LONGEST_CLOSURE:
                raise CalendarError(f"the vendor's calendar has no trading day between {previous} and {day}")
            if not hours.extended_opens <= hours.opens < hours.closes <= hours.extended_closes:
                raise CalendarError(f"the hours of {day} in the vendor's calendar are not in order")
            previous = day
        if not by_day:
            raise CalendarError(f"the vendor's calendar has no trading day from {first} on")
        return TradingCalendar(first, previous, by_day)

    def differences_from_table(self) -> list[date]:
        """Return the days on which the vendor's calendar differs from the table, as far as both cover them."""
        days = (
            self.vendor_first + timedelta(days=count)
            for count in range((self.vendor_last - self.vendor_first).days + 1)
        )
        return [day for day in days if FIRST <= day <= LAST and self.trading_day(day) != _trading_day_of_table(day)]

    def _is_covered_by_vendor(self, day: date) -> bool:
        return self.vendor_first <= day <= self.vendor_last


def _trading_day_of_table(day: date) -> TradingDay | None:
    if not FIRST <= day <= LAST or day.weekday() >= _SATURDAY or day in HOLIDAYS:
        return None
    if day in HALF_DAYS:
        return TradingDay(day=day, closes=_EARLY_CLOSE, extended_closes=extended_close(_EARLY_CLOSE))
    return TradingDay(day=day)


def extended_close(regular_close: time) -> time:
    """Return the end of the extended session of a day: 17:00 if the regular session ends early, otherwise 20:00."""
    return _EARLY_EXTENDED_CLOSE if regular_close < _REGULAR_CLOSE else _EXTENDED_CLOSE


def table_end_warning(now: datetime) -> str | None:
    """Return a sentence from 60 days before the end of the table of trading days on; None before."""
    days = (LAST - now.date()).days
    if days > _WARNING_DAYS:
        return None
    when = f"ends on {LAST}, in {days} days" if days >= 0 else f"ended on {LAST}"
    return (
        f"this version's table of trading days {when}; update Sluice: where no vendor's calendar is available, market "
        "hours are then unknown, and no silence is reported"
    )
