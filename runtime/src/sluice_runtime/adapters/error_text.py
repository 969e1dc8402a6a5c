"""What went wrong on the way to somebody, in words that somebody can use."""

from __future__ import annotations

from urllib.parse import urlsplit


def cause(error: BaseException) -> str:
    """aiohttp's own words tell of objects in memory, the system's beneath them do not; a timeout has none at all."""
    return str(getattr(error, "os_error", error)) or type(error).__name__


def no_way(error: BaseException) -> str:
    """Why there is nobody to talk to. A certificate's fault is a ValueError, too, and says nothing against the URL."""
    is_no_url = isinstance(error, ValueError) and not isinstance(error, OSError)
    return "it is no URL of a server" if is_no_url else cause(error)


def shown(url: str) -> str:
    """A URL as it may be told: without what may be a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL that is set"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
