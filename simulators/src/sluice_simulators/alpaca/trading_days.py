"""The calendar of US markets, by the rules of the New York Stock Exchange, with closures that a test adds."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

_DAY = timedelta(days=1)
_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6


class TradingDays:
    """The trading days. `closed` has additional days without trading, and `early_closes` additional half days."""

    def __init__(self) -> None:
        self.closed: set[date] = set()
        self.early_closes: set[date] = set()

    def is_trading_day(self, day: date) -> bool:
        """Return True if there is trading on this day."""
        return day.weekday() < _SATURDAY and day not in self.closed and day not in holidays_of_year(day.year)

    def is_half_day(self, day: date) -> bool:
        """Return True if the regular session of this trading day ends at 13:00."""
        return day in self.early_closes or day in half_days_of_year(day.year)

    def entries(self, first: date, last: date) -> Iterator[dict[str, str]]:
        """Yield the trading days from `first` to `last`, in the format of `GET /v2/calendar`."""
        day = first
        while day <= last:
            if self.is_trading_day(day):
                half = self.is_half_day(day)
                yield {
                    "date": day.isoformat(),
                    "open": "09:30",
                    "close": "13:00" if half else "16:00",
                    "session_open": "0400",
                    "session_close": "1700" if half else "2000",
                    "settlement_date": self._next_trading_day(day).isoformat(),
                }
            day += _DAY

    def _next_trading_day(self, day: date) -> date:
        day += _DAY
        while not self.is_trading_day(day):
            day += _DAY
        return day


@cache
def holidays_of_year(year: int) -> frozenset[date]:
    """Return the days of a year without trading, other than weekends. Special closures are not among them."""
    fixed = [date(year, 6, 19), date(year, 7, 4), date(year, 12, 25)]
    new_year = date(year, 1, 1)
    observed = {_observed(day) for day in fixed}
    if new_year.weekday() != _SATURDAY:  # on a Saturday, it is not observed on the Friday: the year ends on that day
        observed.add(_observed(new_year))
    return frozenset(
        observed
        | {
            _nth(year, 1, _MONDAY, 3),  # Martin Luther King's birthday
            _nth(year, 2, _MONDAY, 3),  # Washington's birthday
            _easter(year) - 2 * _DAY,  # Good Friday
            _nth(year, 6, _MONDAY, 1) - 7 * _DAY,  # Memorial Day: the last Monday of May
            _nth(year, 9, _MONDAY, 1),  # Labor Day
            _thanksgiving(year),
        }
    )


@cache
def half_days_of_year(year: int) -> frozenset[date]:
    """Return the days of a year on which the regular session ends at 13:00."""
    days = {_thanksgiving(year) + _DAY}
    for eve in (date(year, 7, 3), date(year, 12, 24)):
        if eve.weekday() < _FRIDAY:  # on a Friday, it is the holiday itself, which is observed a day early
            days.add(eve)
    return frozenset(days)


def _thanksgiving(year: int) -> date:
    return _nth(year, 11, _THURSDAY, 4)


def _observed(day: date) -> date:
    """Return the day on which a holiday is observed: a Saturday on the Friday before, a Sunday on the Monday after."""
    return day + {_SATURDAY: -_DAY, _SUNDAY: _DAY}.get(day.weekday(), timedelta())


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """Return the first, second, ... (`number`) day of a month that is this weekday; Monday is 0."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar, by the anonymous algorithm (Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    shift = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    month, day = divmod(moon + shift - 7 * ((golden + 11 * moon + 22 * shift) // 451) + 114, 31)
    return date(year, month, day + 1)
