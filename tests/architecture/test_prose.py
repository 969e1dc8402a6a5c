"""The sentences of the code and the pages: no word that a reader stumbles over."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = (
    "crds/src",
    "operator/src",
    "runtime/src",
    "manifests/src",
    "devcluster/src",
    "simulators/src",
    "simulators/tests",
)
PAGES = ("*.md", "docs/**/*.md", "manifests/base/*.yaml", "manifests/overlays/**/*.yaml", "manifests/samples/*.yaml")
BANNED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["sluice"]["prose"]["banned"]
_WORDS = re.compile(rf"\b({'|'.join(BANNED)})\b", re.IGNORECASE)


def sentences(module: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and each string of a module: docstrings, messages and descriptions."""
    text = module.read_text()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("source", SOURCES)
def test_no_comment_docstring_or_message_has_a_banned_word(source: str) -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line}: {word.group()}"
        for module in sorted((ROOT / source).rglob("*.py"))
        for line, text in sentences(module)
        if (word := _WORDS.search(text))
    ]
    assert found == []


@pytest.mark.parametrize("pages", PAGES)
def test_no_page_has_a_banned_word(pages: str) -> None:
    found = [
        f"{page.relative_to(ROOT)}:{number}: {word.group()}"
        for page in sorted(ROOT.glob(pages))
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if (word := _WORDS.search(line))
    ]
    assert found == []
