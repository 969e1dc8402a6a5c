"""A field of a job's spec for people, and a list of fields."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..model.field_reference import COLD, HOT, FieldReference
from ..text.layout import GAP, column_widths, indented
from ..text.printable import pad
from ..text.terminal import Terminal

_LABEL_WIDTH = 12


def field_lines(field: FieldReference, below: Sequence[FieldReference], terminal: Terminal) -> list[str]:
    """Return the lines about one field, with a table of the fields below it."""
    lines = [terminal.paint(f"spec.{field.path}", "bold")]
    default = "" if field.default is None else json.dumps(field.default)
    required = "yes" if field.is_required else "no"
    for label, value in (
        ("type", field.type), ("required", required), ("default", default), ("change", field.change),
        *(("bound", each) for each in field.bounds), ("", ""), ("", field.description),
    ):  # fmt: skip
        if label and value:
            lines += indented(value, terminal.width, " " * _LABEL_WIDTH, f"  {label}".ljust(_LABEL_WIDTH))
        elif value:
            lines += indented(value, terminal.width, "  ")
    return [*lines, *table_lines(below, terminal)]


def table_lines(fields: Sequence[FieldReference], terminal: Terminal) -> list[str]:
    """Return a row for each field: its path, its type, how a change applies, and its default."""
    if not fields:
        return []
    rows = [["FIELD", "TYPE", "CHANGE", "DEFAULT"], *(_cells(each) for each in fields)]
    widths = column_widths(rows)
    lines = [(" " * GAP).join(pad(cell, width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [terminal.paint(lines[0], "bold"), *lines[1:]]


def _cells(field: FieldReference) -> list[str]:
    change = {HOT: "hot", COLD: "cold"}.get(field.change, "hot and cold")
    default = "required" if field.is_required else "-" if field.default is None else json.dumps(field.default)
    return [field.path, field.type, change, default]
