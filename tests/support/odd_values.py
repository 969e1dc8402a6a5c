"""Values that no correct writer stores, and the places of a document in which to try them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, get_args, get_origin

import msgspec

from sluice_contract.lenient import type_without_bounds_and_none

Document = dict[str, Any]
Path = tuple[str | int, ...]

# Python does not convert an integer with more than 4,300 digits to a text, or back.
FIVE_THOUSAND_DIGITS = "9" * 5000
ODD_TEXTS: tuple[str, ...] = (
    "", "x", "-1", "0", str(2**63 - 1), str(2**63), FIVE_THOUSAND_DIGITS, "1e400", "NaN", "\u0663", "\u00b2", " 5",
    "\u0000", "x" * 70_000, "null", "{}",
)  # fmt: skip
ODD_TIMES: tuple[str, ...] = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    "2026-01-01T00:00:00",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, -1, 0, 1.5, 2**53 - 1, 2**53, 2**63 - 1, 2**63, -(2**63), 10**4999, 1e300, float("inf"), float("nan"), True,
    [], {}, [None], ["x"], [1], [[]], [{}], {"x": 1}, {"x": None}, *ODD_TEXTS, *ODD_TIMES,
)  # fmt: skip


def filled_document(kind: Any) -> Any:
    """Return a plain document of a type, with a plausible value in each field, and one item in each list."""
    plain = type_without_bounds_and_none(kind)
    origin = get_origin(plain)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return {field.encode_name: filled_document(field.type) for field in msgspec.structs.fields(plain)}
    if origin is list:
        return [filled_document(get_args(plain)[0])]
    if origin is dict:
        return {"x": "y"}
    if origin is Literal:
        return get_args(plain)[0]
    return {str: "x", int: 1, float: 1.0, bool: True, datetime: "2026-03-02T15:00:00Z"}[plain]


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in a document. Of a list, only the first item counts."""
    if path:
        yield path
    items = document.items() if isinstance(document, dict) else enumerate(document[:1])
    for name, value in items:
        if isinstance(value, dict | list):
            yield from places(value, (*path, name))
        else:
            yield (*path, name)


def with_value(document: Any, path: Path, value: Any) -> Any:
    """Return a copy of a document with another value in one place."""
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = with_value(document[path[0]], path[1:], value)
    return changed


def label(value: Any) -> str:
    """Return a short text for a value, for the message of a failed test."""
    if isinstance(value, int) and abs(value) > 2**64:
        return "an integer of 5,000 digits"
    return repr(value)[:40]
