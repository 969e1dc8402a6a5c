"""JSON schemas of Kubernetes kinds, converted from the OpenAPI documents of an API server.

`kubeconform` checks manifests against them. They reject an unknown field, as the API server does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/"
# The template with which kubeconform finds the schema file of a kind.
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


def open_api_path(api_version: str) -> str:
    """Return the path at which an API server serves the schemas of a group and version."""
    return f"/openapi/v3/{'apis' if '/' in api_version else 'api'}/{api_version}"


def schema_file_name(api_version: str, kind: str) -> str:
    """Return the name of the schema file of a kind. It matches LOCATION.

    >>> schema_file_name("networking.k8s.io/v1", "NetworkPolicy")
    'networkpolicy-networking-v1.json'
    """
    group, slash, version = api_version.rpartition("/")
    return "-".join([kind.lower(), *([group.partition(".")[0]] if slash else []), version]) + ".json"


def kind_schema(document: Schema, api_version: str, kind: str) -> Schema | None:
    """Return the JSON schema of a kind, with the schemas it refers to; None if the OpenAPI document lacks the kind."""
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    components: dict[str, Schema] = document["components"]["schemas"]
    for name, component in components.items():
        if wanted in component.get("x-kubernetes-group-version-kind", ()):
            return {
                "$ref": f"#/definitions/{name}",
                "definitions": _definitions_of_referenced_schemas(components, name),
            }
    return None


def write_schema_files(schemas: dict[str, Schema], folder: Path) -> str:
    """Write each schema to the file of its name in the folder. Return the schema location to pass to kubeconform."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        (folder / name).write_text(json.dumps(schema))
    return str(folder / LOCATION)


def _definitions_of_referenced_schemas(components: dict[str, Schema], first: str) -> dict[str, Schema]:
    """Return the JSON schemas, by name, of the component `first` and of all components that it refers to."""
    found: dict[str, Schema] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = strict_json_schema(components[name])
            waiting += _referenced_names(components[name])
    return found


def _referenced_names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        # `$ref` can also be the name of a field of a kind, as in the schema of CRDs; its value is then not a text.
        if isinstance(target := node.get("$ref"), str):
            yield target.removeprefix(_REFERENCE)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _referenced_names(each)


def strict_json_schema(schema: Schema) -> Schema:
    """Return an OpenAPI schema as a JSON schema that rejects unknown fields."""
    found = {key: value for key, value in schema.items() if not key.startswith("x-") and key != "nullable"}
    if "$ref" in found:
        found["$ref"] = found["$ref"].replace(_REFERENCE, "#/definitions/")
    if "properties" in found:
        found["properties"] = {name: strict_json_schema(each) for name, each in found["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = strict_json_schema(found[key])
    if "allOf" in found:  # OpenAPI adds a description to a reference with allOf
        found["allOf"] = [strict_json_schema(each) if "$ref" in each else each for each in found["allOf"]]
    if schema.get("nullable") and "type" in found:
        found["type"] = [found["type"], "null"]
    return found
