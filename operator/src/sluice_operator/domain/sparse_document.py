"""Documents without the fields that have their default."""

from __future__ import annotations

import functools
from typing import Any

import msgspec


@functools.cache
def _struct_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)  # each call takes half a millisecond, because it evaluates every annotation


def without_default_fields(part: msgspec.Struct) -> dict[str, Any]:
    """Return a part of the spec as a document without the fields that have their default.

    The API server adds defaults to a stored spec, and msgspec does not omit them.
    """
    found = {}
    for field in _struct_fields(type(part)):
        value = getattr(part, field.name)
        default = (
            field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else field.default
        )
        if value != default:
            found[field.encode_name] = (
                without_default_fields(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
            )
    return found
