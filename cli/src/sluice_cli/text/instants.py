"""Instants and durations: parsing them, and writing them for people."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

UTC = timezone.utc
# Compiled at their first use, not at the import.
_INSTANT = r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)"
_TIME_OF_DAY = r"(\d\d):(\d\d)(?::(\d\d))?Z"
_DURATION = r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?"


def parse_instant(value: object) -> datetime | None:
    """Return the instant of a text in RFC 3339, in UTC; None if it is none."""
    found = re.fullmatch(_INSTANT, value) if isinstance(value, str) else None
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')[:6]}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_duration(text: str) -> timedelta | None:
    """Return the duration of a text such as `30m`, `1h30m` or `2d`; None if it is none, or not longer than 0."""
    found = re.fullmatch(_DURATION, text)
    if not text or found is None:
        return None
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    try:
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
    return duration or None


def parse_end(text: str, now: datetime) -> datetime | None:
    """Return the end of a pause: an instant in RFC 3339, or the next time of day in UTC, such as `14:00Z`."""
    found = re.fullmatch(_TIME_OF_DAY, text)
    if found is None:
        return parse_instant(text)
    try:
        end = now.astimezone(UTC).replace(
            hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0
        )
    except ValueError:
        return None
    return end if end > now else end + timedelta(days=1)


def instant_text(instant: datetime) -> str:
    """Return the instant in RFC 3339, in UTC and in seconds, as it is written into an object."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def short_instant(instant: datetime, now: datetime) -> str:
    """Return the time of day in UTC, with the date if it is another day than `now`."""
    moment = instant.astimezone(UTC)
    return f"{moment:%H:%M:%SZ}" if moment.date() == now.astimezone(UTC).date() else instant_text(moment)


def age_text(since: datetime | None, now: datetime) -> str:
    """Return how long ago something was, such as `4s`, `22m`, `2h14m` or `3d`; empty if it is unknown."""
    return "" if since is None else duration_text((now - since).total_seconds())


def duration_text(seconds: float) -> str:
    """Return a duration in at most two units. A negative one is 0: the clocks of two machines differ."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    return f"{hours // 24}d"
