"""Conversion between Python's values and Firestore's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.cloud.firestore_v1.types import ArrayValue, Document, MapValue, Value
from google.protobuf.struct_pb2 import NULL_VALUE
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.latlng_pb2 import LatLng

from sluice_runtime.sinks.firestore.values import decode_fields, decode_value, encode_fields, encode_value

AT = datetime(2026, 3, 2, 15, 0, 0, 123457, tzinfo=UTC)
AS_TIMESTAMP = Timestamp(seconds=1772463600, nanos=123457000)
NULL = Value(null_value=NULL_VALUE)
ENCODED: list[tuple[Any, Value]] = [
    (None, NULL),
    (True, Value(boolean_value=True)),
    (False, Value(boolean_value=False)),
    (0, Value(integer_value=0)),
    (-(2**63), Value(integer_value=-(2**63))),
    (2**63 - 1, Value(integer_value=2**63 - 1)),
    (0.0, Value(double_value=0.0)),
    (-1.5, Value(double_value=-1.5)),
    (float("inf"), Value(double_value=float("inf"))),
    ("", Value(string_value="")),
    ("ünïcode", Value(string_value="ünïcode")),
    (AT, Value(timestamp_value=AS_TIMESTAMP)),
    (
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        Value(timestamp_value=Timestamp(seconds=-1, nanos=999999000)),
    ),
    ([], Value(array_value=ArrayValue())),
    (
        [1, "a", None, [2.0]],
        Value(
            array_value=ArrayValue(
                values=[
                    Value(integer_value=1),
                    Value(string_value="a"),
                    NULL,
                    Value(array_value=ArrayValue(values=[Value(double_value=2.0)])),
                ]
            )
        ),
    ),
    ({}, Value(map_value=MapValue())),
    (
        {"a": {"b": AT}, "c": []},
        Value(
            map_value=MapValue(
                fields={
                    "a": Value(map_value=MapValue(fields={"b": Value(timestamp_value=AS_TIMESTAMP)})),
                    "c": Value(array_value=ArrayValue()),
                }
            )
        ),
    ),
]


def encoded(value: object) -> Value:
    message = Value.pb()()
    encode_value(message, value)
    wrapped: Value = Value.wrap(message)
    return wrapped


def decoded(value: Value) -> Any:
    return decode_value(Value.pb(value))


@pytest.mark.parametrize(("value", "expected"), ENCODED, ids=lambda each: type(each).__name__)
def test_a_value_is_encoded_with_its_type_and_decoded_as_it_was(value: object, expected: Value) -> None:
    assert encoded(value) == expected
    assert Value.pb(encoded(value)).WhichOneof("value_type") == Value.pb(expected).WhichOneof("value_type")
    assert decoded(expected) == value
    assert type(decoded(expected)) is type(value)


def test_a_value_of_a_subclass_is_encoded_as_its_base() -> None:
    class Text(str):
        __slots__ = ()

    class Moment(datetime):
        pass

    class Table(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return 1

        def __iter__(self) -> Any:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert encoded(Text("a")) == Value(string_value="a")
    assert encoded(Moment(2026, 3, 2, 15, 0, 0, 123457, tzinfo=UTC)) == Value(timestamp_value=AS_TIMESTAMP)
    assert encoded((1,)) == encoded([1])
    assert encoded(Table()) == encoded({"a": 1})


def test_a_time_of_another_zone_is_the_same_time() -> None:
    assert encoded(AT.astimezone(timezone(timedelta(hours=-5)))) == encoded(AT)


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, AT.replace(tzinfo=None), AT.date()], ids=lambda value: type(value).__name__
)
def test_a_value_without_a_firestore_type_is_rejected(value: object) -> None:
    with pytest.raises(TypeError):
        encoded(value)


def test_an_integer_of_more_than_64_bits_is_rejected() -> None:
    with pytest.raises(ValueError, match="out of range"):
        encoded(2**63)


@pytest.mark.parametrize(
    "foreign",
    [
        Value(bytes_value=b"\x00"),
        Value(reference_value="projects/p/databases/d/documents/a/b"),
        Value(geo_point_value=LatLng(latitude=1.0, longitude=2.0)),
        Value(timestamp_value=Timestamp(seconds=10**12)),
        Value(),
    ],
    ids=lambda each: Value.pb(each).WhichOneof("value_type"),
)
def test_a_value_of_a_foreign_type_is_neither_null_nor_a_time(foreign: Value) -> None:
    assert decoded(foreign) is not None
    assert not isinstance(decoded(foreign), datetime)


def test_the_nanoseconds_of_another_writer_are_cut_to_microseconds() -> None:
    assert decoded(Value(timestamp_value=Timestamp(seconds=AS_TIMESTAMP.seconds, nanos=123457999))) == AT


def test_the_fields_of_a_document_are_encoded_and_decoded_by_name() -> None:
    message = Document.pb()()
    encode_fields(message.fields, {"bid": 1.5, "status": "live"})
    assert decode_fields(message.fields) == {"bid": 1.5, "status": "live"}
