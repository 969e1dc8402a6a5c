"""Texts of connection errors for people."""

from __future__ import annotations

from urllib.parse import urlsplit


def system_error_text(error: BaseException) -> str:
    """Return the operating system's text of a connection error. If an error has no text, return the name of its type.

    aiohttp's text of such an error contains addresses of objects, and a timeout has no text.
    """
    return str(getattr(error, "os_error", error)) or type(error).__name__


def unreachable_reason(error: BaseException) -> str:
    """Return why `error` means that a server cannot be reached.

    If `error` is a ValueError, the URL is invalid. Certificate errors are also ValueErrors, and keep their own text.
    """
    is_no_url = isinstance(error, ValueError) and not isinstance(error, OSError)
    return "the URL is not valid" if is_no_url else system_error_text(error)


def redact_url(url: str) -> str:
    """Return a URL without user, password and query, for logs and messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the configured URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
