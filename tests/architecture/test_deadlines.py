"""Every wait of a test in real time has a deadline from support/deadlines.py: one factor changes all of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "tests/unit",
    "tests/integration",
    "tests/faults",
    "tests/outages",
    "tests/e2e",
    "tests/support",
    "simulators/tests",
)
CLOCKS = {"time.monotonic", "time.perf_counter"}
# They wait for nothing to happen: the limit is not a deadline.
EXPECT_A_TIMEOUT = {
    "tests/integration/test_unreachable_port.py",
    "tests/unit/support/test_half_open_relay.py",
    "simulators/tests/test_tws_server.py",
}
# The deadlines themselves.
OWN = {"tests/support/deadlines.py"}


def modules() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def is_in_virtual_time(path: Path) -> bool:
    """Return whether the coroutine tests of a module run on a clock that jumps."""
    config = [parent / "conftest.py" for parent in path.parents if parent.is_relative_to(ROOT / "tests/unit")]
    is_virtual = any("VirtualTimeLoop" in each.read_text() for each in config if each.exists())
    return is_virtual and "REAL_TIME = True" not in path.read_text()


def contains_clock(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Call) and ast.unparse(each.func) in CLOCKS for each in ast.walk(node))


def has_own_limit(call: ast.Call) -> bool:
    if ast.unparse(call.func) in ("asyncio.timeout", "asyncio.wait_for"):
        return True
    limits = [each.value for each in call.keywords if each.arg in ("timeout", "_request_timeout")]
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("wait", "join"):
        limits += [each for each in call.args if is_number_of_seconds(each)]
    return any(isinstance(each, ast.Constant) for each in limits)


def is_number_of_seconds(node: ast.AST) -> bool:
    """Return whether a node is a number of at least 1. A shorter wait is one step of a poll."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value >= 1


def bounds_elapsed_time(node: ast.Assert) -> bool:
    """Return whether a comparison asserts that something took less than a number of seconds."""
    if not isinstance(node.test, ast.Compare):
        return False
    sides = zip([node.test.left, *node.test.comparators], node.test.ops, strict=False)
    return any(isinstance(operator, ast.Lt | ast.LtE) and contains_clock(left) for left, operator in sides)


def own_deadlines(tree: ast.Module) -> Iterator[str]:
    """Yield the waits whose limit no factor changes: a timeout as a number, and an upper bound of elapsed time."""
    for node in ast.walk(tree):
        if (isinstance(node, ast.Call) and has_own_limit(node)) or (
            isinstance(node, ast.Assert) and bounds_elapsed_time(node)
        ):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def test_no_wait_has_a_deadline_of_its_own() -> None:
    checked = [each for each in modules() if not is_in_virtual_time(each)]
    names = {str(each.relative_to(ROOT)): each for each in checked}
    found = {
        name: waits
        for name, path in names.items()
        if name not in OWN | EXPECT_A_TIMEOUT and (waits := list(own_deadlines(ast.parse(path.read_text()))))
    }
    assert found == {}, "use tests/support/deadlines.py"


@pytest.mark.parametrize(
    "source",
    [
        "async with asyncio.timeout(5): pass",
        "await asyncio.wait_for(found, 5)",
        "subprocess.run(command, timeout=30)",
        "process.wait(30)",
        "assert time.monotonic() - began < 5",
        "assert 1 < time.monotonic() - began < 5",
    ],
)
def test_such_a_deadline_is_found(source: str) -> None:
    assert len(list(own_deadlines(ast.parse(source)))) == 1


def test_a_lower_bound_and_a_scaled_timeout_are_allowed() -> None:
    source = "assert time.monotonic() - began >= 0.2\nsubprocess.run(command, timeout=scaled(30))\nover.wait(0.1)"
    assert list(own_deadlines(ast.parse(source))) == []
