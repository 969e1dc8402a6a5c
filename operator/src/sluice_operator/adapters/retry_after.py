"""The header Retry-After of a response, as seconds or as an HTTP date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MOST_SECONDS: Final = 60.0  # a server or a proxy with a wrong clock must not stop the operator for longer


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds until the next request is wanted, from 0 to 60; None if the header is missing or wrong.

    A date is compared with the header Date of the same response, or with `now` if that is missing. `now` is
    timezone-aware; without it, the time of the local clock is used.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    seconds = _number(text)
    if seconds is None and (at := _date(text)) is not None:
        seconds = (at - (_date(headers.get("Date", "")) or now or datetime.now(UTC))).total_seconds()
    return min(MOST_SECONDS, max(0.0, seconds)) if seconds is not None else None


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
