"""Build the table of the fields of a kind: each field, its type, its bounds, its default and its meaning."""

from __future__ import annotations

import json

from .instants import INSTANT_SCHEMA
from .schema import field_rows
from .type_schema import Schema


def field_table(part: Schema, hot: frozenset[str] = frozenset()) -> str:
    """Return the table of the fields of a schema, with a mark on those whose paths are in `hot`."""
    rows = ["| field | type | meaning |", "| --- | --- | --- |"]
    for path, field, required in field_rows(part):
        marks = (", required" if required else "") + (", **hot**" if path in hot else "")
        rows.append(f"| `{path}` | {_type_bounds_and_default(field)}{marks} | {field['description']} |")
    return "\n".join(rows)


def _type_bounds_and_default(field: Schema) -> str:
    """Return the type of a field with its bounds and its default, as text for the table."""
    if "enum" in field:
        kind = " \\| ".join(field["enum"])
    elif field["type"] == "array":
        kind = f"list of {field['items']['type']}s"
    elif "additionalProperties" in field:
        kind = f"map of {field['additionalProperties']['type']}s"
    else:
        kind = "time" if field.get("pattern") == INSTANT_SCHEMA["pattern"] else str(field["type"])
    low, high = field.get("minimum", field.get("minItems")), field.get("maximum", _maximum_count(field))
    bounds = f", {low} to {high}" if low is not None else (f", at most {high}" if high is not None else "")
    simple = "default" in field and not isinstance(field["default"], dict)
    return kind + bounds + (f", default `{json.dumps(field['default'])}`" if simple else "")


def _maximum_count(field: Schema) -> int | None:
    found: int | None = field.get("maxItems", field.get("maxProperties"))
    return found
