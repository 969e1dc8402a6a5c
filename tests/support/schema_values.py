"""Values to try in each field of a schema: valid ones, those at a bound, and ones that earlier validations missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from sluice_contract.instants import INSTANT_SCHEMA

Schema = dict[str, Any]
Path = tuple[str | int, ...]

TIME = "2026-11-23T14:00:00Z"
READY_CONDITION: dict[str, Any] = {
    "type": "Ready",
    "status": "True",
    "reason": "Streaming",
    "message": "",
    "lastTransitionTime": TIME,
    "observedGeneration": 1,
}

# A value of every type, whatever the type of the field.
_EACH_TYPE: tuple[Any, ...] = ([], {}, "", "text", 7, True, None)
_NUMBERS: tuple[Any, ...] = (-1, 0, 1, 1.0, 1e30, -1e30, 2**53, 2**63 - 1, -(2**63), "7")
_TIMES: tuple[Any, ...] = (
    TIME, "2026-11-23T14:00:00.123456789Z", "2026-11-23T14:00:00.1234567890Z",
    "2026-11-23T14:00:00+24:00", "2026-11-23T14:00:00+99:99", "2026-11-23T14:00:00+23:59", "2026-11-23T14:00:00-23:59",
    "2026-11-23T14:00:00,5Z", "2026-11-23T14:00:00", "2026-11-23", "2026-11-23t14:00:00z", "2026-11-23 14:00:00Z",
    "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T14:00:60Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00-01:00",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59+23:59",
    "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "\uff12026-11-23T14:00:00Z",
)  # fmt: skip
_TEXTS: tuple[Any, ...] = (
    "SPY", "SPY\n", "BTC/USD", "A\u2003B", "\u0000", "x" * 64, "x" * 5000, "wss://a\u00a0b", "https://a\u2028b", "1Gi",
    "users", "a/../b",
)  # fmt: skip


def places(schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Yield every place below a schema: each field, and the first item of each list."""
    for name, field in schema.get("properties", {}).items():
        here = (*path, name)
        yield here, field
        yield from places(field, here)
        if field["type"] == "array":
            yield (*here, 0), field["items"]
            yield from places(field["items"], (*here, 0))
        if "additionalProperties" in field:
            yield (*here, "a"), field["additionalProperties"]


def values(schema: Schema) -> list[Any]:
    """Return the distinct values to try in a place of this schema."""
    tried = [*_EACH_TYPE]
    if schema["type"] == "string" and "enum" not in schema:
        is_time = schema.get("pattern") == INSTANT_SCHEMA["pattern"]
        tried += _TIMES if is_time else _TEXTS
    if schema["type"] in ("integer", "number"):
        tried += _NUMBERS
        tried += [schema[bound] + by for bound in ("minimum", "maximum") if bound in schema for by in (-1, 0, 1)]
    tried += schema.get("enum", ())
    return list({msgspec.json.encode(value): value for value in tried}.values())


def has_bound(schema: Schema) -> bool:
    """Return whether a schema bounds its text, list or map. A number or an object with fields needs no such bound."""
    if schema["type"] == "object":
        return "properties" in schema or "maxProperties" in schema
    return {"string": "maxLength", "array": "maxItems"}.get(schema["type"], "type") in schema


def values_at_and_over_bound(schema: Schema) -> tuple[Any, Any] | None:
    """Return a value as large as its bound and one that is larger by one; None for a schema without such a bound.

    The values need not match the schema's pattern or list of values. A text has characters outside the BMP: the API
    server counts code points, as Python does.
    """
    if "maxLength" in schema:
        return tuple("\N{BAR CHART}" * (schema["maxLength"] + more) for more in (0, 1))
    if "maxItems" in schema:
        items = [_item(schema["items"], number) for number in range(schema["maxItems"] + 1)]
        return items[:-1], items
    if "maxProperties" in schema:
        entries = {f"k{number}": "v" for number in range(schema["maxProperties"] + 1)}
        return dict(list(entries.items())[:-1]), entries
    return None


def _item(schema: Schema, number: int) -> Any:
    """Return an item of a list that differs from the others."""
    if schema["type"] == "string":
        return schema["enum"][number % len(schema["enum"])] if "enum" in schema else f"S{number}"
    return {name: _item(field, number) for name, field in schema["properties"].items() if field["type"] == "string"}
