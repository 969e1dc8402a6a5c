"""Cut texts, lists and numbers to the bounds of the schema, so that the API server accepts what is written."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

S = TypeVar("S", bound=msgspec.Struct)


def cut_to_bounds(part: S) -> S:
    """Return the part of a document with each text, list and number within its bounds.

    A text is cut to its `maxLength`, a list to its `maxItems`, and an integer beyond a bound becomes that bound.
    """
    changes = {}
    for name, kind in _fields_that_can_be_cut(type(part)):
        value = getattr(part, name)
        cut = _cut_value_to_bounds(value, kind)
        if cut is not value:
            changes[name] = cut
    return msgspec.structs.replace(part, **changes) if changes else part


def cut_to_characters(text: str, limit: int) -> str:
    """Return the text with at most `limit` code points, as the API server counts them. A cut text ends in `…`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_to_bytes(text: str, limit: int) -> str:
    """Return the text with at most `limit` bytes in UTF-8. A text that is cut ends in `…`, which has 3 bytes."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return text
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def _cut_value_to_bounds(value: Any, kind: inspect.Type) -> Any:
    """Return the value of a field, cut to the bounds of its type."""
    if value is None:
        return value
    kind = _type_without_bounds_and_none(kind)
    if isinstance(kind, inspect.StructType):
        return cut_to_bounds(value)
    if isinstance(kind, inspect.StrType):
        return value if kind.max_length is None else cut_to_characters(value, kind.max_length)
    if isinstance(kind, inspect.IntType):
        return _nearest_within(value, kind)
    if isinstance(kind, inspect.ListType):
        cut = [_cut_value_to_bounds(each, kind.item_type) for each in value[: kind.max_length]]
        return value if cut == value else cut
    return value


def _nearest_within(number: int, kind: inspect.IntType) -> int:
    if kind.ge is not None and number < kind.ge:
        return kind.ge
    return kind.le if kind.le is not None and number > kind.le else number


def _type_without_bounds_and_none(kind: inspect.Type) -> inspect.Type:
    """Return the type without its `Meta` annotations and without `| None`."""
    while True:
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        elif isinstance(kind, inspect.UnionType):
            [kind] = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        else:
            return kind


@functools.cache
def _fields_that_can_be_cut(kind: type[msgspec.Struct]) -> tuple[tuple[str, inspect.Type], ...]:
    """Return the name and the type of each field of a struct that holds a text, an integer, a list or a struct."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101  true for each Struct
    return tuple(
        (field.name, field.type)
        for field in info.fields
        if not isinstance(_type_without_bounds_and_none(field.type), _TYPES_NEVER_CUT)
    )


_TYPES_NEVER_CUT = (inspect.FloatType, inspect.BoolType, inspect.DateTimeType, inspect.LiteralType)
