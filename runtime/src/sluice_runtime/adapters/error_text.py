"""Texts of errors of connections, files and decoders for people."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

import aiohttp
import msgspec

from sluice_contract.decoding_errors import explain_decoding_error

# asyncio's text about an address that it could not connect to.
_FAILED_CONNECT = re.compile(r"\[Errno (\d+)\] Connect call failed \('([^']*)', (\d+)[^)]*\)")


def system_error_text(error: BaseException) -> str:
    """Return the operating system's text of a connection error. If an error has no text, return the name of its type.

    aiohttp's text of such an error contains addresses of objects, and a timeout has no text. An answer that cannot be
    decoded is explained without the decoder's terms. A failed connection is explained in the system's words, such as
    `Connection refused, 10.0.0.7 port 4001`, without the number of the error.
    """
    if isinstance(error, msgspec.MsgspecError):
        return str(explain_decoding_error(error))
    text = str(getattr(error, "os_error", error)) or type(error).__name__
    return _FAILED_CONNECT.sub(lambda found: f"{os.strerror(int(found[1]))}, {found[2]} port {found[3]}", text)


def file_error_text(error: Exception) -> str:
    """Return why a file cannot be used, without the number of the error, the path, and the decoder's terms."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return system_error_text(error)


def unreachable_reason(error: BaseException) -> str:
    """Return why `error` means that a server cannot be reached. The words quote nothing that the server sent.

    A library's error about a malformed response quotes the response. If `error` is a ValueError, the URL is invalid.
    Errors of the operating system, and of certificates, keep their own text.
    """
    if isinstance(error, OSError) or hasattr(error, "os_error"):
        return system_error_text(error)
    if isinstance(error, aiohttp.ServerDisconnectedError) or isinstance(error.__cause__ or error, EOFError):
        return "it closed the connection without an answer"
    return "the URL is not valid" if isinstance(error, ValueError) else "its answer is not HTTP"


def redact_url(url: str) -> str:
    """Return a URL without user, password and query, for logs and messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the configured URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
