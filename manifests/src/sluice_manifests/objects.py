"""Kubernetes objects in manifests: reading them, finding a value in them, and writing them as YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from sluice_manifests.errors import ManifestsError
from sluice_manifests.tools import run_and_return_output

Manifest = dict[str, Any]
Keys = tuple[str, ...]


def build_kustomization(kubectl: Path, folder: Path) -> list[Manifest]:
    """Return the objects of a kustomization. Raises ManifestsError with the output of kustomize if it fails."""
    return parse_objects(run_and_return_output(kubectl, "kustomize", folder))


def parse_objects(text: str) -> list[Manifest]:
    """Return the objects in a YAML stream, without empty documents."""
    return [each for each in yaml.safe_load_all(text) if each]


def kind_namespace_and_name(manifest: Manifest) -> tuple[str, str, str]:
    """Return the kind, the namespace (empty for an object without one) and the name of an object."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def only_object_of_kind(objects: Iterable[Manifest], kind: str) -> Manifest:
    """Return the only object of this kind. Raises ManifestsError unless there is exactly one."""
    found = [each for each in objects if each["kind"] == kind]
    if len(found) != 1:
        raise ManifestsError(f"the base must have exactly one {kind}, but it has {len(found)}: correct manifests/base")
    return found[0]


def value_at_key(node: Any, key: str) -> Any:
    """Return the value of a key in a mapping, or the list item whose name is the key; None if it does not exist."""
    if isinstance(node, list):
        return next((item for item in node if isinstance(item, dict) and item.get("name") == key), None)
    return node.get(key) if isinstance(node, dict) else None


def value_at_path(node: Any, path: Keys) -> Any:
    """Return the value at a path of keys and names of list items; None if it does not exist."""
    for key in path:
        node = value_at_key(node, key)
    return node


class _IndentingDumper(yaml.SafeDumper):
    """A YAML dumper that indents lists below their keys and writes texts of several lines as block scalars."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their keys, as Helm charts do."""
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_IndentingDumper.add_representer(str, _represent_text)


def dump_yaml(value: Any) -> str:
    """Return the value as YAML. Lines are not folded, and keys keep their order."""
    text: str = yaml.dump(value, Dumper=_IndentingDumper, sort_keys=False, width=10**9, allow_unicode=True)
    return text
