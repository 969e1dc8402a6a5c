"""Prints domain/nyse_sessions.py: when the New York exchanges are closed, from the library that knows.

python runtime/tools/exchange_sessions.py > runtime/src/sluice_runtime/domain/nyse_sessions.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import exchange_calendars

FIRST, LAST = date(2025, 1, 1), date(2031, 12, 31)
HEADER = '''"""Trading days of the New York exchanges, by the library exchange_calendars.

Generated: python runtime/tools/exchange_sessions.py > runtime/src/sluice_runtime/domain/nyse_sessions.py
"""

from datetime import date

'''


def days() -> Iterator[date]:
    """Every day that the table covers."""
    for number in range((LAST - FIRST).days + 1):
        yield FIRST + timedelta(days=number)


def literal(day: date) -> str:
    """The day as Python source."""
    return f"date({day.year}, {day.month}, {day.day})"


def table(name: str, found: Iterable[date]) -> str:
    """A frozenset of days as Python source."""
    rows = "".join(f"        {literal(day)},\n" for day in found)
    return f"{name} = frozenset(\n    {{\n{rows}    }}\n)\n"


def main() -> int:
    """The module, on standard output."""
    calendar = exchange_calendars.get_calendar("XNYS", start=str(FIRST), end=str(LAST))
    sessions = {each.date() for each in calendar.sessions}
    parts = [
        f"FIRST, LAST = {literal(FIRST)}, {literal(LAST)}  # what is covered\n\n# Weekdays without trading\n",
        table("HOLIDAYS", (day for day in days() if day.weekday() < 5 and day not in sessions)),
        "\n# Days on which the regular session ends at 13:00, and the late session at 17:00\n",
        table("HALF_DAYS", (each.date() for each in calendar.early_closes)),
    ]
    sys.stdout.write(HEADER + "".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
