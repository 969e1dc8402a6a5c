"""Cut texts, lists and numbers to the bounds of the schema, so that the API server accepts what is written."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

S = TypeVar("S", bound=msgspec.Struct)
Cut = Callable[[Any], Any]  # returns its argument, or that cut to its bounds


def cut_to_bounds(part: S) -> S:
    """Return the part of a document with each text, list and number within its bounds.

    A text is cut to its `maxLength`, a list to its `maxItems`, and an integer beyond a bound becomes that bound.
    """
    changes = {}
    for name, cut in _cuts_of_fields(type(part)):
        value = getattr(part, name)
        if value is not None and (fitting := cut(value)) is not value:
            changes[name] = fitting
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


@functools.cache
def _cuts_of_fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Cut], ...]:
    """Return the name of each field of a struct that can be beyond a bound, and what cuts its value.

    The types are read once, because the operator cuts a status in each reconciliation.
    """
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101  true for each Struct
    cuts = ((field.name, _cut_of_type(field.type)) for field in info.fields)
    return tuple((name, cut) for name, cut in cuts if cut is not None)


def _cut_of_type(kind: inspect.Type) -> Cut | None:
    """Return what cuts a value of this type, and the same object if it is within its bounds; None if it always is."""
    kind = _type_without_bounds_and_none(kind)
    if isinstance(kind, inspect.StructType):
        return cut_to_bounds
    if isinstance(kind, inspect.StrType) and kind.max_length is not None:
        return functools.partial(cut_to_characters, limit=kind.max_length)
    if isinstance(kind, inspect.IntType) and (kind.ge is not None or kind.le is not None):
        return functools.partial(_nearest_within, kind)
    if isinstance(kind, inspect.ListType):
        return functools.partial(_cut_list, kind.max_length, _cut_of_type(kind.item_type))
    return None


def _cut_list(most: int | None, cut_item: Cut | None, items: list[Any]) -> list[Any]:
    fitting = items if most is None or len(items) <= most else items[:most]
    if cut_item is None:
        return fitting
    cut = [each if each is None else cut_item(each) for each in fitting]
    return items if len(cut) == len(items) and all(map(operator.is_, cut, items)) else cut


def _nearest_within(kind: inspect.IntType, number: int) -> int:
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
