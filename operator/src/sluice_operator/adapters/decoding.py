"""Decoding of the responses of the API server. A text that is not understood is a failure of the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from sluice_contract.json_nesting import JSONText

from ..ports import Unavailable

V = TypeVar("V")

# What a decoder raises for a text that is not JSON, not UTF-8, nested too deeply, or of another type.
DECODING_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_LAST_BYTES: Final = 8  # the API server ends a response with one line feed


class _AnyObject(msgspec.Struct):
    """A JSON object whose fields do not matter."""


_decode_any_object = msgspec.json.Decoder(_AnyObject).decode


def decoded_or_raise(request: str, text: JSONText, decode: Callable[[JSONText], V]) -> V:
    """Return the decoded response. Raises `Unavailable` if it is not JSON, for example because a proxy has cut it."""
    try:
        return decode(text)
    except DECODING_ERRORS as error:
        raise Unavailable(f"{request}: the response is not understood, {error}") from error


def require_json_object(request: str, text: JSONText) -> None:
    """Raise `Unavailable` unless the whole text is a JSON object. The caller does not use its contents."""
    decoded_or_raise(request, text, _decode_any_object)


def require_braces(request: str, text: bytes) -> None:
    """Raise `Unavailable` unless the text begins and ends as a JSON object, which is cheap for a large text."""
    if text[:1] != b"{" or text[-_LAST_BYTES:].rstrip()[-1:] != b"}":
        raise Unavailable(f"{request}: the response is not understood, it is not a JSON object: {bytes(text[:100])!r}")
