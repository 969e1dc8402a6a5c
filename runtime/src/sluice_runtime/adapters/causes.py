"""What went wrong on the way to somebody, in words that somebody can use."""

from __future__ import annotations


def cause(error: BaseException) -> str:
    """aiohttp's own words tell of objects in memory, the system's beneath them do not; a timeout has none at all."""
    return str(getattr(error, "os_error", error)) or type(error).__name__
