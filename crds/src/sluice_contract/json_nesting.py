"""Decoding of JSON that is nested more deeply than a decoder can follow.

The API server stores up to ten thousand levels in the managed fields of an object, which everyone who may change the
object can write. Python's decoders refuse a few hundred levels, and with them the whole text: all jobs of a LIST.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")
JSONText = bytes | bytearray | memoryview | msgspec.Raw

LEVELS: Final = 100  # no field that Sluice reads is nested half as deeply

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def decode_without_deep_values(decode: Callable[[Any], T], text: JSONText) -> T:
    """Return the result of `decode`. If the text is nested too deeply for it, decode it without its deepest values."""
    try:
        return decode(text)
    except RecursionError:
        return decode(without_deep_values(bytes(text)))


def without_deep_values(text: bytes) -> bytes:
    """Return a JSON text in which each object and list below the 100th level is null."""
    kept, depth, start = [], 0, 0
    for token in _TOKEN.finditer(text):
        match text[token.start()]:
            case 0x7B | 0x5B:  # { [
                depth += 1
                if depth == LEVELS + 1:
                    kept.append(text[start : token.start()])
            case 0x7D | 0x5D:  # } ]
                if depth == LEVELS + 1:
                    kept.append(b"null")
                    start = token.end()
                depth -= 1
    if depth <= LEVELS:  # otherwise the text is cut off
        kept.append(text[start:])
    return b"".join(kept)
