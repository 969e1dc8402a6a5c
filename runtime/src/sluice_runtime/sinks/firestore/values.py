"""Conversion between Firestore's wire values and Python values.

Values are written directly into protobuf messages. The wrappers that Google's package adds to each value cost more
than everything else in a write.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_fields(target: Any, fields: Mapping[str, Any]) -> None:
    """Write each field into `target`, the map of names to Value messages of a document or a map value.

    Raises:
        TypeError: Firestore has no type for a value, or a time has no timezone.
        ValueError: an integer has more than 64 bits.
    """
    for name, value in fields.items():
        encode_value(target[name], value)


def encode_value(target: Any, value: Any) -> None:
    """Write `value` into the empty Value message `target`.

    Raises:
        TypeError: Firestore has no type for `value`, or `value` is a time without a timezone.
        ValueError: `value` is an integer of more than 64 bits.
    """
    kind = type(value)  # the exact type first: it is the fast path, and a bool is not treated as an int
    if kind is str:
        target.string_value = value
    elif kind is float:
        target.double_value = value
    elif kind is datetime:
        _encode_time(target, value)
    elif kind is bool:
        target.boolean_value = value
    elif kind is int:
        target.integer_value = value
    elif value is None:
        target.null_value = 0
    else:
        _encode_container_or_subclass(target, value)


def decode_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Python values of a document's fields, by name. See `decode_value`."""
    return {name: decode_value(value) for name, value in fields.items()}


def decode_value(value: Any) -> Any:
    """Return the Python value of a Value message. Never raises.

    Types that Sluice does not write are returned as protobuf gives them: bytes, the name of a reference, a point. A
    type that this version of the protocol does not know is returned as the message itself. None always means null.
    """
    match value.WhichOneof("value_type"):
        case "null_value":
            return None
        case "timestamp_value":
            return _decode_time(value.timestamp_value)
        case "map_value":
            return decode_fields(value.map_value.fields)
        case "array_value":
            return [decode_value(each) for each in value.array_value.values]
        case None:
            return value
        case kind:
            return getattr(value, kind)


def _encode_container_or_subclass(target: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        target.map_value.SetInParent()  # an empty map is a map
        encode_fields(target.map_value.fields, value)
    elif isinstance(value, list | tuple):
        target.array_value.SetInParent()
        for each in value:
            encode_value(target.array_value.values.add(), each)
    elif isinstance(value, datetime):
        _encode_time(target, value)
    else:
        for base in (str, float, int):
            if isinstance(value, base):
                encode_value(target, base(value))
                return
        raise TypeError(f"Firestore has no type for a value of type {type(value).__name__}")


def _encode_time(target: Any, value: datetime) -> None:
    since = value - _EPOCH
    target.timestamp_value.seconds = since.days * 86_400 + since.seconds
    target.timestamp_value.nanos = since.microseconds * 1_000


def _decode_time(value: Any) -> Any:
    """Return the time as a datetime to the microsecond; the message itself if no datetime can hold it."""
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError):
        return value
