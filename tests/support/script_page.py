"""The tables of docs/coming-from-a-script.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/coming-from-a-script.md").read_text("utf-8")


def tables(heading: str) -> list[list[list[str]]]:
    """Return the tables below a heading of the second level: for each table its rows, without the header, as cells."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [[_cells(line) for line in block.splitlines()[2:]] for block in blocks]


def names_in_code(cell: str) -> list[str]:
    """Return the texts in backticks of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def first_names(rows: list[list[str]], column: int) -> list[str]:
    """Return the first text in backticks in `column` of each row that has one."""
    return [names[0] for row in rows if (names := names_in_code(row[column]))]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
