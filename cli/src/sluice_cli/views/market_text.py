"""The hours of a market, in the time of New York."""

from __future__ import annotations

from datetime import datetime, tzinfo

from ..model.job import Market
from ..text.instants import UTC


def market_text(market: Market | None, now: datetime) -> str:
    """Return whether the market is open, and when that changes, such as `market open, closes 16:00 New York`."""
    if market is None:
        return ""
    if market.changes_at is None or market.changes_at <= now:
        return f"market {market.phase}"
    zone, place = _new_york()
    local = market.changes_at.astimezone(zone)
    is_today = local.date() == now.astimezone(zone).date()
    day = "" if is_today else f"{local:%a} " if (market.changes_at - now).days < 6 else f"{local:%Y-%m-%d} "
    verb = "closes" if market.phase == "open" else "opens"
    return f"market {market.phase}, {verb} {day}{local:%H:%M} {place}"


def _new_york() -> tuple[tzinfo, str]:
    """Return the time zone and its name; UTC on a machine without time zones."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415  it takes 3 ms, and only a tree needs it

    try:
        return ZoneInfo("America/New_York"), "New York"
    except ZoneInfoNotFoundError:
        return UTC, "UTC"
