"""Labels and annotations are read by constants of the contract: the sweep of odd values has all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("operator/src", "runtime/src", "crds/src")
MAPPINGS = ("labels", "annotations")
# The comparison of two pods goes through lists of these constants, and a selector has the keys that a user wrote.
OTHER_READERS = {
    "operator/src/sluice_operator/domain/pod_mutation.py",
    "crds/src/sluice_contract/label_selector.py",
}


def is_mapping(node: ast.expr) -> bool:
    """Return whether an expression is the labels or the annotations of an object, by its name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in MAPPINGS
        case ast.Subscript(slice=ast.Constant(value=name)):
            return name in MAPPINGS
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=name), *_]):
            return name in MAPPINGS
        case ast.BoolOp(values=[first, *_]):
            return is_mapping(first)
    return False


def keys_read(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the key of each read of a label or an annotation."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=mapping, slice=key) if is_mapping(mapping):
                yield key
            case ast.Call(func=ast.Attribute(value=mapping, attr="get" | "pop"), args=[key, *_]) if is_mapping(mapping):
                yield key


def is_constant_of_the_contract(key: ast.expr) -> bool:
    """Return whether a key is such as `identity.EPOCH_ANNOTATION`."""
    match key:
        case ast.Attribute(value=ast.Name(id="identity"), attr=name):
            return name.endswith(("_LABEL", "_ANNOTATION"))
    return False


def modules() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if str(path.relative_to(ROOT)) not in OTHER_READERS]


def other_keys(tree: ast.AST) -> list[str]:
    return [ast.unparse(key) for key in keys_read(tree) if not is_constant_of_the_contract(key)]


def test_labels_and_annotations_are_read_by_constants_only() -> None:
    found = {str(path.relative_to(ROOT)): other_keys(ast.parse(path.read_text())) for path in modules()}
    assert {path: keys for path, keys in found.items() if keys} == {}


@pytest.mark.parametrize(
    "source",
    [
        'pod.metadata.labels["sluice.dev/job"]', 'metadata["labels"].get("x")', 'labels.get(f"{GROUP}/x", "")',
        '(metadata.get("annotations") or {}).get(name)', "annotations[identity.GROUP]",
    ],
)  # fmt: skip
def test_another_key_is_found(source: str) -> None:
    assert other_keys(ast.parse(source)) != []


def test_the_reads_by_constants_are_found() -> None:
    facts = ast.parse((ROOT / "operator/src/sluice_operator/domain/facts.py").read_text())
    assert len(list(keys_read(facts))) >= 4
