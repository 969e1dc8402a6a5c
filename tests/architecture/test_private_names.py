"""The runtime uses only what Google's packages and gRPC offer publicly: private names change without notice."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "runtime/src/sluice_runtime"
LIBRARIES = ("google", "grpc")
ACCESS_BY_NAME = ("getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(tree: ast.Module) -> Iterator[str]:
    """Yield imports of a library's private names, and private attributes of objects other than `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] in LIBRARIES:
            names = [*(node.module or "").split("."), *(each.name for each in node.names)]
            yield from (f"{node.module}: {name}" for name in names if is_private(name))
        elif isinstance(node, ast.Import):
            names = [part for each in node.names for part in each.name.split(".")]
            yield from (name for name in names if is_private(name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own:
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ACCESS_BY_NAME:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield from (ast.unparse(node) for text in texts if isinstance(text, str) and is_private(text))


def imports_libraries(tree: ast.Module) -> bool:
    """Return True if the module imports one of the libraries, at any place."""
    for node in ast.walk(tree):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        if any(name.split(".")[0] in LIBRARIES for name in names):
            return True
    return False


TREES = {str(path.relative_to(RUNTIME)): ast.parse(path.read_text()) for path in sorted(RUNTIME.rglob("*.py"))}
USERS = [path for path, tree in TREES.items() if path.startswith("sinks/firestore/") or imports_libraries(tree)]


@pytest.mark.parametrize("module", USERS)
def test_no_private_name_of_a_library_is_used(module: str) -> None:
    assert list(private_names(TREES[module])) == []


def test_the_modules_that_use_the_libraries_are_found() -> None:
    assert {"sinks/firestore/channel.py", "sinks/firestore/connection.py", "sinks/firestore/values.py"} <= set(USERS)


@pytest.mark.parametrize(
    "source",
    [
        "from google.cloud.firestore_v1 import _helpers",
        "from google.cloud.firestore_v1._helpers import encode_value",
        "import grpc._channel",
        "base_client._DEFAULT_CHANNEL_OPTIONS.extend(options)",
        "await self._client._firestore_api.transport.close()",
        "batch._add_write_pbs([write])",
        "getattr(client, '_transport')",
        "operator.attrgetter('_pb')(response)",
    ],
)
def test_a_private_name_is_found(source: str) -> None:
    assert list(private_names(ast.parse(source, mode="exec"))) != []
