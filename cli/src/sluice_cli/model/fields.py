"""Reading of objects that another version may have written: a field of an unexpected type counts as absent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..text.instants import parse_instant
from ..text.printable import printable


def child(value: object, *path: str) -> dict[str, Any]:
    """Return the object at a path; empty if there is none."""
    found = _value_at(value, path)
    return found if isinstance(found, dict) else {}


def items(value: object, *path: str) -> list[Any]:
    """Return the list at a path; empty if there is none."""
    found = _value_at(value, path)
    return found if isinstance(found, list) else []


def objects(value: object, *path: str) -> list[dict[str, Any]]:
    """Return the objects in the list at a path."""
    return [each for each in items(value, *path) if isinstance(each, dict)]


def text(value: object, *path: str) -> str:
    """Return the text at a path, safe for a terminal; empty if there is none."""
    found = _value_at(value, path)
    return printable(found) if isinstance(found, str) else ""


def texts(value: object, *path: str) -> tuple[str, ...]:
    """Return the texts in the list at a path, safe for a terminal."""
    found = [each for each in items(value, *path) if isinstance(each, str)]
    joined = "".join(found)  # one check is faster than one of each symbol
    return tuple(found if joined.isascii() and joined.isprintable() else map(printable, found))


def number(value: object, *path: str) -> int | None:
    """Return the integer at a path; None if there is none."""
    found = _value_at(value, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag(value: object, *path: str) -> bool | None:
    """Return the boolean at a path; None if there is none."""
    found = _value_at(value, path)
    return found if isinstance(found, bool) else None


def instant(value: object, *path: str) -> datetime | None:
    """Return the instant at a path; None if there is none."""
    return parse_instant(_value_at(value, path))


def _value_at(value: object, path: tuple[str, ...]) -> Any:
    """Return the value at a path; None if there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
