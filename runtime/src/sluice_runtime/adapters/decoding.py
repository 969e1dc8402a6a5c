"""JSON that anybody may have written."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decoded(raw: bytes, kind: type[T]) -> T:
    """What it says.

    Raises:
        msgspec.MsgspecError: it is no such thing; nor is what is no text, or nested without end.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"it is no JSON: {error}") from None
