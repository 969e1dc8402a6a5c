"""docs/glossary.md has 30 terms, each with its field and one sentence, and the names that the code uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {"Kubernetes", "distributed systems", "streaming", "markets", "Sluice"}


def rows() -> list[list[str]]:
    lines = [line for line in (ROOT / "docs/glossary.md").read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name):
                yield name


@cache
def names_in_the_code() -> frozenset[str]:
    modules = [path for package in ("crds", "operator", "runtime") for path in (ROOT / package / "src").rglob("*.py")]
    found = (name for path in modules for name in identifiers(ast.parse(path.read_text())))
    return frozenset(found) | {path.stem for path in modules}


def test_there_are_30_distinct_terms() -> None:
    terms = [row[0] for row in rows()]
    assert len(terms) == len(set(terms)) == 30


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_term_has_a_field_a_name_in_the_code_and_one_sentence(row: list[str]) -> None:
    _, field, names, sentence = row
    assert field in FIELDS
    assert set(re.findall(r"`(\w+)`", names)) <= names_in_the_code()
    assert re.fullmatch(r"[^.]*\.", sentence.replace("`autoStop`", "")), "one sentence"
