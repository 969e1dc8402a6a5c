"""Columns of a table, within the width of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from .printable import display_width, wrap

GAP = 2


def column_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column; the rows have the same number of cells."""
    return [max(display_width(each) for each in column) for column in zip(*rows)]


def total_width(widths: Sequence[int]) -> int:
    """Return the width of a row with these columns."""
    return sum(widths) + GAP * (len(widths) - 1)


def indented(text: str, width: int, indent: str, first: str = "") -> list[str]:
    """Return the text in lines of at most `width` columns, each with an indent; the first line may have another one."""
    lines = wrap(text, max(20, width - display_width(indent)))
    return [(first or indent) + line if number == 0 else indent + line for number, line in enumerate(lines)]
