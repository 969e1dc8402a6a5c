"""The hours of the New York exchanges around Thanksgiving 2026, independent of the runtime's calendar."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
THANKSGIVING = date(2026, 11, 26)
HALF_DAY = date(2026, 11, 27)
_SATURDAY = 5

Session = Literal["regular", "extended", "closed"]


def session_at(moment: datetime) -> Session:
    """Return the session of the exchanges at a time in New York."""
    day, clock = moment.date(), moment.timetz().replace(tzinfo=None)
    if day == THANKSGIVING or day.weekday() >= _SATURDAY:
        return "closed"
    regular_ends, extended_ends = (time(13), time(17)) if day == HALF_DAY else (time(16), time(20))
    if time(9, 30) <= clock < regular_ends:
        return "regular"
    return "extended" if time(4) <= clock < extended_ends else "closed"
