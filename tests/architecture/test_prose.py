"""The banned words of pyproject.toml are in no sentence of the code, the pages and the tests, and in no test's name."""

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
    "relay/src",
    "simulators/src",
    "simulators/tests",
    "dashboard/server/src",
    "clients/python/src",
    "cli/src",
    "cli/tools",
)
PAGES = (
    "*.md",
    "docs/**/*.md",
    "manifests/**/*.md",
    "manifests/base/*.yaml",
    "manifests/components/**/*.yaml",
    "manifests/overlays/**/*.yaml",
    "manifests/samples/**/*.yaml",
    "manifests/gitops/**/*.yaml",
    "manifests/gitops/**/*.tf",
)
BANNED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["sluice"]["prose"]["banned"]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
_WORDS = re.compile(rf"\b({'|'.join(BANNED)})\b", re.IGNORECASE)
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def sentences(module: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment and each string of a module: docstrings, messages and descriptions."""
    text = module.read_text()
    yield from comments(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def prose_of_tests(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment, docstring and function name of a test module, but not of its data."""
    yield from comments(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTION):
            yield node.lineno, node.name.replace("_", " ")
        if isinstance(node, ast.Module | ast.ClassDef | _FUNCTION) and (docstring := ast.get_docstring(node)):
            yield node.body[0].lineno, docstring


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


def test_no_comment_docstring_or_function_name_of_a_test_has_a_banned_word() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line}: {word.group()}"
        for module in TESTS
        for line, text in prose_of_tests(module.read_text())
        if (word := _WORDS.search(text))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        f"# {BANNED[0]}",
        f"def test_it_connects_{BANNED[0]}(): ...",
        f"async def connect():\n    '''Connect {BANNED[0]}.'''",
        f"'''Connect {BANNED[0]}.'''",
    ],
)
def test_a_banned_word_in_the_prose_of_a_test_is_found(text: str) -> None:
    assert any(_WORDS.search(found) for _, found in prose_of_tests(text))


def test_a_banned_word_in_the_data_of_a_test_is_allowed() -> None:
    assert not any(_WORDS.search(found) for _, found in prose_of_tests(f"reply = '{BANNED[0]}'"))
