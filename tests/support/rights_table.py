"""The tables of docs/security.md about who may do what."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/security.md"
Row = tuple[str, str, str]  # verb, resource, namespace or name


def rights_table(heading: str) -> tuple[list[str], dict[Row, list[str]]]:
    """Return the identities of the first table below a heading of the second level, and their answers by row."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head[3:], {(row[0], row[1], row[2]): row[3:] for row in body}
