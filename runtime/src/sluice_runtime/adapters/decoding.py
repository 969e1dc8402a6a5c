"""Decoding of untrusted JSON."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decode_json(raw: bytes, kind: type[T]) -> T:
    """Decode JSON as a value of type `kind`.

    Raises:
        msgspec.MsgspecError: the JSON is not a valid `kind`, not UTF-8, or nested too deeply. Its text is for
            `explain_decoding_error`.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except UnicodeDecodeError:
        raise msgspec.DecodeError("it is not UTF-8 text") from None
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None
