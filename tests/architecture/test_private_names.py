"""The sink uses only what Google's packages and gRPC offer publicly: private names change without notice."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "runtime/src/sluice_runtime/adapters/firestore"
LIBRARIES = ("google", "grpc")


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


@pytest.mark.parametrize("module", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_no_private_name_of_a_library_is_used(module: Path) -> None:
    assert list(private_names(ast.parse(module.read_text()))) == []


@pytest.mark.parametrize(
    "source",
    [
        "from google.cloud.firestore_v1 import _helpers",
        "from google.cloud.firestore_v1._helpers import encode_value",
        "import grpc._channel",
        "base_client._DEFAULT_CHANNEL_OPTIONS.extend(options)",
        "await self._client._firestore_api.transport.close()",
        "batch._add_write_pbs([write])",
    ],
)
def test_a_private_name_is_found(source: str) -> None:
    assert list(private_names(ast.parse(source, mode="exec"))) != []
