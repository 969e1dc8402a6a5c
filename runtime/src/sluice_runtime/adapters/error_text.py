"""Texts of errors of connections, files and decoders for people."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error


def system_error_text(error: BaseException) -> str:
    """Return the operating system's text of a connection error. If an error has no text, return the name of its type.

    aiohttp's text of such an error contains addresses of objects, and a timeout has no text. An answer that cannot be
    decoded is explained without the decoder's terms.
    """
    if isinstance(error, msgspec.MsgspecError):
        return str(explain_decoding_error(error))
    return str(getattr(error, "os_error", error)) or type(error).__name__


def file_error_text(error: Exception) -> str:
    """Return why a file cannot be used, without the number of the error, the path, and the decoder's terms."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return system_error_text(error)


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
