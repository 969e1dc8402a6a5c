"""Market hours, used only to interpret silence: quotes are never withheld because a market is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec

from sluice_contract.spec import IngestJobSpec

from .nyse_sessions import DAYLIGHT, FIRST, HALF_DAYS, HOLIDAYS, LAST

_OPEN, _CLOSE, _EARLY_CLOSE = time(9, 30), time(16), time(13)
_SATURDAY = 5


class MarketSession(msgspec.Struct, frozen=True):
    """The state of a market at one instant.

    `since` is the time at which it opened; None if it is not open or never closes.
    """

    phase: Literal["open", "closed", "unknown"]
    since: datetime | None = None


MarketHours = Callable[[datetime], MarketSession]


def always_open_session(at: datetime) -> MarketSession:
    """Return the session of a market that never closes."""
    del at
    return MarketSession("open")


def unknown_session(at: datetime) -> MarketSession:
    """Return the session of a market whose hours are unknown. Silence is then never reported as stale."""
    del at
    return MarketSession("unknown")


def new_york_session(at: datetime) -> MarketSession:
    """Return the state of the regular session of the New York exchanges at `at`.

    Holidays and half days are respected. Outside the years of the calendar, the state is unknown.
    """
    local = at.astimezone(UTC).replace(tzinfo=None) - _utc_minus_new_york_time(at.astimezone(UTC).date())
    day = local.date()
    if not FIRST <= day <= LAST:
        return MarketSession("unknown")
    if day.weekday() >= _SATURDAY or day in HOLIDAYS:
        return MarketSession("closed")
    closes = _EARLY_CLOSE if day in HALF_DAYS else _CLOSE
    if not _OPEN <= local.time() < closes:
        return MarketSession("closed")
    opened = datetime.combine(day, _OPEN, UTC) + _utc_minus_new_york_time(day)
    return MarketSession("open", opened)


def market_hours_of_job(spec: IngestJobSpec) -> MarketHours:
    """Return the function that computes the market session of a job's feed.

    The hours of overnight feeds and of tapes are unknown.
    """
    match spec.provider:
        case "alpaca" if spec.alpaca_and_secret_name is not None:
            alpaca, _ = spec.alpaca_and_secret_name
            return _ALPACA.get(alpaca.feed, new_york_session)
        case "alpaca" | "synthetic":
            return always_open_session  # simulated quotes never stop
        case "replay":
            return unknown_session
        case _:
            return new_york_session


_ALPACA: dict[str, MarketHours] = {
    "crypto": always_open_session,
    "test": always_open_session,
    "overnight": unknown_session,
    "boats": unknown_session,
}


def _utc_minus_new_york_time(day: date) -> timedelta:
    """Return the difference between UTC and New York time on a trading day.

    Clocks change on Sundays, when there is no trading.
    """
    return timedelta(hours=4 if any(begins <= day < ends for begins, ends in DAYLIGHT) else 5)
