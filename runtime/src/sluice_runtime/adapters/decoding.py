"""Decoding of untrusted JSON."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import msgspec

from sluice_contract.json_nesting import decode_without_deep_values

T = TypeVar("T")


def decode_json(raw: bytes, kind: type[T]) -> T:
    """Decode JSON as a value of type `kind`.

    Raises:
        msgspec.MsgspecError: the JSON is not a valid `kind`, not UTF-8, or nested too deeply. Its text is for
            `explain_decoding_error`.
    """
    try:
        return _decode_or_raise_recursion_error(kind, raw)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None


def decode_kubernetes_json(raw: bytes, kind: type[T]) -> T:
    """Decode a response of the API server as `decode_json` does, without the values that are nested too deeply.

    Everyone who may change an object can nest its managed fields. A stop of the job has to be read all the same.
    """
    return decode_without_deep_values(partial(_decode_or_raise_recursion_error, kind), raw)


def _decode_or_raise_recursion_error(kind: type[T], raw: bytes) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except UnicodeDecodeError:
        raise msgspec.DecodeError("it is not UTF-8 text") from None
