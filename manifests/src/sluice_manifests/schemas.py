"""JSON schemas of Kubernetes kinds, made from what an API server publishes about itself.

`kubeconform` checks manifests against them. A field that a kind does not have is refused, as the API server refuses it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/"
# As kubeconform spells the name of a kind's schema.
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


def open_api_path(api_version: str) -> str:
    """Where an API server publishes the schemas of a group and version."""
    return f"/openapi/v3/{'apis' if '/' in api_version else 'api'}/{api_version}"


def file_name(api_version: str, kind: str) -> str:
    """The name of a kind's schema file, as LOCATION has it.

    >>> file_name("networking.k8s.io/v1", "NetworkPolicy")
    'networkpolicy-networking-v1.json'
    """
    group, slash, version = api_version.rpartition("/")
    return "-".join([kind.lower(), *([group.partition(".")[0]] if slash else []), version]) + ".json"


def kind_schema(document: Schema, api_version: str, kind: str) -> Schema | None:
    """The schema of a kind and of all that it consists of, from an OpenAPI document; None when it is not in it."""
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    components: dict[str, Schema] = document["components"]["schemas"]
    for name, component in components.items():
        if wanted in component.get("x-kubernetes-group-version-kind", ()):
            return {"$ref": f"#/definitions/{name}", "definitions": _definitions(components, name)}
    return None


def write(schemas: dict[str, Schema], folder: Path) -> str:
    """Writes schemas by their file names; returns the location to give to kubeconform."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        (folder / name).write_text(json.dumps(schema))
    return str(folder / LOCATION)


def _definitions(components: dict[str, Schema], first: str) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = strict(components[name])
            waiting += _references(components[name])
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        # A kind may have a field of this name: the definitions themselves have it.
        if isinstance(target := node.get("$ref"), str):
            yield target.removeprefix(_REFERENCE)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _references(each)


def strict(schema: Schema) -> Schema:
    """An OpenAPI schema as a JSON schema that allows no field it does not have."""
    found = {key: value for key, value in schema.items() if not key.startswith("x-") and key != "nullable"}
    if "$ref" in found:
        found["$ref"] = found["$ref"].replace(_REFERENCE, "#/definitions/")
    if "properties" in found:
        found["properties"] = {name: strict(each) for name, each in found["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = strict(found[key])
    if "allOf" in found:  # how a reference gets a description of its own
        found["allOf"] = [strict(each) if "$ref" in each else each for each in found["allOf"]]
    if schema.get("nullable") and "type" in found:
        found["type"] = [found["type"], "null"]
    return found
