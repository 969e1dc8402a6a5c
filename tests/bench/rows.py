"""The figures of a benchmark, with the figures that they are compared with and their targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `target` limits `ratio`; `met` is None if there is no target.

    `median` is that of the rounds, where `ours` is the worst round. `turn_ratios` has the ratio of each turn, which two
    runs are compared by. Both are in the file, not in the table.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    limit: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    median: float | None = None
    turn_ratios: tuple[float, ...] = ()
    higher_is_better: bool = False


HEADINGS = ("what", "unit", "ours", "peer", "limit", "ratio", "target", "met")


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")


def read(path: Path) -> list[Row]:
    """Read the rows that `write` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=list[Row])


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table that is also readable in a terminal."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = ["| " + " | ".join(_aligned(line, widths)) + " |" for line in cells]
    rule = (
        "| "
        + " | ".join("-" * width if n in (0, 1, 6, 7) else "-" * (width - 1) + ":" for n, width in enumerate(widths))
        + " |"
    )
    return "\n".join([lines[0], rule, *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    figures = (_figure(row.ours), _figure(row.peer), _figure(row.limit), _figure(row.ratio))
    return (row.name, row.unit, *figures, row.target, met)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if column in (0, 1, 6, 7) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
