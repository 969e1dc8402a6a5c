"""Kubernetes objects as they are written in manifests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from sluice_manifests.errors import ManifestsError
from sluice_manifests.tools import output

Manifest = dict[str, Any]
Keys = tuple[str, ...]


def kustomized(kubectl: Path, folder: Path) -> list[Manifest]:
    """The objects of a kustomization. Raises ManifestsError with what kustomize says."""
    return parsed(output(kubectl, "kustomize", folder))


def parsed(text: str) -> list[Manifest]:
    """The objects of a YAML stream, without its empty documents."""
    return [each for each in yaml.safe_load_all(text) if each]


def identity(manifest: Manifest) -> tuple[str, str, str]:
    """Kind, namespace (empty where there is none) and name."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def only(objects: Iterable[Manifest], kind: str) -> Manifest:
    """The one object of this kind. Raises ManifestsError when there is not exactly one."""
    found = [each for each in objects if each["kind"] == kind]
    if len(found) != 1:
        raise ManifestsError(f"the chart is made for exactly one {kind}, and the base has {len(found)}")
    return found[0]


def child(node: Any, key: str) -> Any:
    """What a mapping has under a key, or the item of a list that has this name; None where there is none."""
    if isinstance(node, list):
        return next((item for item in node if isinstance(item, dict) and item.get("name") == key), None)
    return node.get(key) if isinstance(node, dict) else None


def at(node: Any, path: Keys) -> Any:
    """What is at a path of keys and of names of list items; None where there is nothing."""
    for key in path:
        node = child(node, key)
    return node


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, so that an expression of several lines can be read and compared."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their keys, as Helm's charts have them."""
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def dumped(value: Any) -> str:
    """YAML without folded lines; keys as they come."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10**9, allow_unicode=True)
    return text
