"""The limits on the sizes of modules and functions."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "crds",
    "operator",
    "runtime",
    "manifests",
    "relay",
    "devcluster",
    "simulators",
    "clients",
    "cli",
    "dashboard/server",
    "tests",
)
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef

MODULE_LINES = 300
FUNCTION_LINES = 60
PARAMETERS = 5


def modules() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def functions() -> list[tuple[str, FUNCTION]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTION)
    ]


def parameters(function: FUNCTION) -> list[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [each.arg for each in every if each is not None and each.arg not in ("self", "cls")]


def test_there_is_something_to_measure() -> None:
    assert len(list(modules())) > 100


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    lengths = {name: (function.end_lineno or 0) - function.lineno + 1 for name, function in functions()}
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_no_function_has_more_than_five_parameters() -> None:
    counts = {name: len(parameters(function)) for name, function in functions()}
    assert {name: count for name, count in counts.items() if count > PARAMETERS} == {}
