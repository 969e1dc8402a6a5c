"""Market hours, used only to interpret silence: quotes are never withheld because a market is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from sluice_contract.documents import MarketPhase
from sluice_contract.spec import IngestJobSpec

from .nyse_sessions import DAYLIGHT, FIRST, HALF_DAYS, HOLIDAYS, LAST

_OPEN, _CLOSE, _EARLY_CLOSE = time(9, 30), time(16), time(13)
_SATURDAY = 5


class MarketState(msgspec.Struct, frozen=True):
    """The state of a market at one instant.

    `since` is the time at which it opened; None if it is not open or never closes. `changes_at` is the time at which
    it next opens or closes; None if it never does, or if the calendar ends before.
    """

    phase: MarketPhase
    since: datetime | None = None
    changes_at: datetime | None = None


MarketHours = Callable[[datetime], MarketState]


def always_open_market(at: datetime) -> MarketState:
    """Return the session of a market that never closes."""
    del at
    return MarketState("open")


def unknown_market(at: datetime) -> MarketState:
    """Return the session of a market whose hours are unknown. Silence is then never reported as stale."""
    del at
    return MarketState("unknown")


def new_york_market_state(at: datetime) -> MarketState:
    """Return the state of the regular session of the New York exchanges at `at`.

    Holidays and half days are respected. Outside the years of the calendar, the state is unknown.
    """
    local = at.astimezone(UTC).replace(tzinfo=None) - _utc_minus_new_york_time(at.astimezone(UTC).date())
    day = local.date()
    if not FIRST <= day <= LAST:
        return MarketState("unknown")
    closes = _EARLY_CLOSE if day in HALF_DAYS else _CLOSE
    if not _is_trading_day(day) or local.time() >= closes:
        return MarketState("closed", changes_at=_next_opening(day + timedelta(days=1)))
    if local.time() < _OPEN:
        return MarketState("closed", changes_at=_utc_of_new_york(day, _OPEN))
    return MarketState("open", _utc_of_new_york(day, _OPEN), _utc_of_new_york(day, closes))


def market_hours_of_job(spec: IngestJobSpec) -> MarketHours:
    """Return the function that computes the market session of a job's feed.

    The hours of overnight feeds and of tapes are unknown.
    """
    match spec.provider:
        case "alpaca" if spec.alpaca_and_secret_name is not None:
            alpaca, _ = spec.alpaca_and_secret_name
            return _ALPACA.get(alpaca.feed, new_york_market_state)
        case "alpaca" | "synthetic":
            return always_open_market  # simulated quotes never stop
        case "replay":
            return unknown_market
        case _:
            return new_york_market_state


_ALPACA: dict[str, MarketHours] = {
    "crypto": always_open_market,
    "test": always_open_market,
    "overnight": unknown_market,
    "boats": unknown_market,
}


def _next_opening(day: date) -> datetime | None:
    """Return the next opening on `day` or later; None if the calendar ends before it."""
    while day <= LAST:
        if _is_trading_day(day):
            return _utc_of_new_york(day, _OPEN)
        day += timedelta(days=1)
    return None


def _is_trading_day(day: date) -> bool:
    return day.weekday() < _SATURDAY and day not in HOLIDAYS


def _utc_of_new_york(day: date, local_time: time) -> datetime:
    """Return the instant of a local time on a trading day."""
    return datetime.combine(day, local_time, UTC) + _utc_minus_new_york_time(day)


def _utc_minus_new_york_time(day: date) -> timedelta:
    """Return the difference between UTC and New York time on a trading day.

    Clocks change on Sundays, when there is no trading.
    """
    return timedelta(hours=4 if any(begins <= day < ends for begins, ends in DAYLIGHT) else 5)
