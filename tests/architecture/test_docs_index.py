"""docs/README.md lists every page, and each path and command that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INDEX = (ROOT / "docs/README.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading of the second level, each as its cells."""
    section = INDEX.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


CHANGES = rows("To change X, edit Y")


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row[0])
def test_each_path_and_command_of_the_table_exists(row: list[str]) -> None:
    _, edit, then = row
    named = re.findall(r"`([^`]+)`", f"{edit} {then}")
    paths = [name for name in named if "/" in name or "." in name]
    commands = [name.removeprefix("make ") for name in named if name.startswith("make ")]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert set(commands) <= targets()
    assert any((ROOT / path).exists() for path in paths)


def test_the_marks_of_hot_fields_are_where_the_table_says() -> None:
    [edit] = [edit for what, edit, _ in CHANGES if what == "which fields are hot"]
    name, path = re.findall(r"`([^`]+)`", edit)
    assert re.search(rf"\),\s*{name},?\s*\]", (ROOT / path).read_text())


def test_every_page_is_listed_once() -> None:
    listed = re.findall(r"\]\(([^)#:]+)\)", INDEX)
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert pages <= set(listed)
    assert len(listed) == len(set(listed))


def test_each_decision_has_the_title_of_its_page() -> None:
    for link, title in rows("Decisions"):
        [(number, path)] = re.findall(r"\[(\d{4})\]\(([^)]+)\)", link)
        assert (ROOT / "docs" / path).read_text().startswith(f"# ADR {number}: {title}\n")
