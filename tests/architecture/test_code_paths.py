"""docs/code-paths.md names files and lines that exist. Run this file as a program to correct the lines."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/code-paths.md"
MOST_HOPS = 10
# 1. [`file.py:12`](../path/of/file.py#L12) `Class.method`: what it does.
HOP = re.compile(
    r"^\d+\. \[`(?P<file>[\w.]+):(?P<line>\d+)`\]\(\.\./(?P<path>\S+)#L(?P<anchor>\d+)\) `(?P<name>[\w.]+)`", re.M
)


def line_of(path: str, name: str) -> int | None:
    """Return the line of a function or method such as `Class.method`; None if the file has none with this name."""
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    line = None
    for part in name.split("."):
        found = [each for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        node = next((each for each in found if each.name == part), None)
        if node is None:
            return None
        body, line = node.body, node.lineno
    return line


def sections() -> dict[str, str]:
    """Return the text of each path, by its heading."""
    parts = PAGE.read_text().split("\n## ")[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


def correct_lines() -> None:
    """Correct the line of each hop in the page."""

    def corrected(hop: re.Match[str]) -> str:
        line = line_of(hop["path"], hop["name"])
        return f"{hop[0].split(' ', 1)[0]} [`{hop['file']}:{line}`](../{hop['path']}#L{line}) `{hop['name']}`"

    PAGE.write_text(HOP.sub(corrected, PAGE.read_text()))


@pytest.mark.parametrize("hop", list(HOP.finditer(PAGE.read_text())), ids=lambda hop: hop["name"])
def test_each_hop_is_where_the_page_says(hop: re.Match[str]) -> None:
    line = line_of(hop["path"], hop["name"])
    assert line is not None, f"{hop['path']} has no {hop['name']}"
    assert hop["file"] == Path(hop["path"]).name
    assert (int(hop["line"]), int(hop["anchor"])) == (line, line), f"run python {Path(__file__).relative_to(ROOT)}"


def test_both_paths_have_at_most_ten_hops_and_no_line_that_is_not_checked() -> None:
    found = sections()
    assert list(found) == ["The path of a quote", "The path of a patch"]
    for text in found.values():
        numbered = re.findall(r"^\d+\. ", text, re.M)
        assert 5 <= len(numbered) <= MOST_HOPS
        assert len(HOP.findall(text)) == len(numbered)


if __name__ == "__main__":
    correct_lines()
