"""Lenient decoding of documents that another version, or any authorized writer, has stored.

A field that cannot be decoded is treated as absent. This is for parts of a document, such as a status, that must not
stop the operator or a pod if they are malformed.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

# The second one is raised for a text with a surrogate that has no partner, which JSON can contain and UTF-8 cannot.
UNREADABLE: Final = (msgspec.ValidationError, UnicodeEncodeError)

_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BLANKS: Final[dict[type, Any]] = {str: "", int: 0, float: 0.0, bool: False, datetime: _NO_TIME}


def decode_readable_fields(raw: Any, kind: type[S]) -> S:
    """Convert a decoded document to a struct of type `kind`, with each field that can be decoded. Never raises.

    A field that cannot be decoded has its default. If it has no default, it is empty: "", 0, False, the year 1970, an
    empty list, or a struct whose fields are empty. Items of a list that cannot be decoded are left out.
    """
    try:
        return msgspec.convert(raw, kind)
    except UNREADABLE:
        return _struct_with_unreadable_fields_empty(raw if isinstance(raw, dict) else {}, kind)


def _struct_with_unreadable_fields_empty(raw: dict[Any, Any], kind: type[S]) -> S:
    """Return a struct of the fields that can be decoded. The others have their default, or else an empty value."""
    found = {}
    for field in _struct_fields(kind):
        value = _readable_value_or_none(raw[field.encode_name], field.type) if field.encode_name in raw else None
        if value is None and field.required:
            value = _empty_value(field.type)
        if value is not None:
            found[field.name] = value
    return kind(**found)


def _readable_value_or_none(raw: Any, kind: Any) -> Any:
    """Return the value with the parts of it that can be decoded; None if nothing can be decoded."""
    if (value := _decoded_value_or_none(raw, kind)) is not None:
        return value
    plain = type_without_bounds_and_none(kind)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return _struct_with_unreadable_fields_empty(raw, plain) if isinstance(raw, dict) else None
    if get_origin(plain) is list and isinstance(raw, list):
        [item] = get_args(plain)
        return [value for each in raw if (value := _decoded_value_or_none(each, item)) is not None]
    if plain is str and isinstance(raw, str):
        return raw  # longer than its bound
    return None


def _decoded_value_or_none(raw: Any, kind: Any) -> Any:
    """Return the decoded value; None if any part of it cannot be decoded."""
    try:
        return msgspec.convert(raw, kind)
    except UNREADABLE:
        return None


def _empty_value(kind: Any) -> Any:
    """Return the empty value of a type, such as "", 0, an empty list, or a struct whose required fields are empty."""
    plain = type_without_bounds_and_none(kind)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return _struct_with_unreadable_fields_empty({}, plain)
    return [] if get_origin(plain) is list else _BLANKS[plain]


def type_without_bounds_and_none(kind: Any) -> Any:
    """Return the type without its `Annotated` bounds and without `| None`."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif type(None) in get_args(kind):
            kind = Union[tuple(each for each in get_args(kind) if each is not type(None))]  # noqa: UP007
        else:
            return kind


@functools.cache
def _struct_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)
