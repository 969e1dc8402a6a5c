"""Documents without the fields that have their default."""

from __future__ import annotations

import functools
from typing import Any

import msgspec


@functools.cache  # msgspec evaluates every annotation of the struct, which takes half a millisecond
def _names_and_defaults(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Return the name, the name in the document and the default of each field."""
    return tuple((each.name, each.encode_name, _default(each)) for each in msgspec.structs.fields(kind))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else field.default


def without_default_fields(part: msgspec.Struct) -> dict[str, Any]:
    """Return a part of the spec as a document without the fields that have their default.

    The API server adds defaults to a stored spec, and msgspec does not omit them.
    """
    found = {}
    for name, encode_name, default in _names_and_defaults(type(part)):
        value = getattr(part, name)
        if value != default:
            found[encode_name] = (
                without_default_fields(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
            )
    return found
