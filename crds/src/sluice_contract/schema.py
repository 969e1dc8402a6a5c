"""The CustomResourceDefinitions, generated from the types: structural schema, CEL rules, defaults, columns."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import inspect

from . import identity
from .kinds import INGEST_JOB, Column, ResourceKind
from .rule import SchemaRule
from .status_values import ENUM_TEXT_LENGTH
from .type_schema import Schema, docstring_on_one_line, type_schema


def custom_resource_definition(kind: ResourceKind = INGEST_JOB) -> Schema:
    """Return the manifest of the CRD of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{identity.GROUP}"},
        "spec": {
            "group": identity.GROUP,
            "scope": "Namespaced" if kind.is_namespaced else "Cluster",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short_name],
                "categories": [identity.CATEGORY],
            },
            "versions": [
                {
                    "name": identity.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_printer_column(each) for each in kind.columns],
                    "schema": {"openAPIV3Schema": open_api_schema(kind)},
                }
            ],
        },
    }


def open_api_schema(kind: ResourceKind = INGEST_JOB) -> Schema:
    """Return the OpenAPI schema of a kind, with its CEL rules."""
    schema: Schema = {
        "type": "object",
        "description": docstring_on_one_line(kind.object_type.__doc__),
        "required": ["spec"],
        "properties": {
            "apiVersion": _always(identity.API_VERSION),
            "kind": _always(kind.name),
            "metadata": {"type": "object"},
            "spec": type_schema(inspect.type_info(kind.spec_type)),
            "status": type_schema(inspect.type_info(kind.status_type)),
        },
    }
    for rule in kind.rules:
        _add_rule(schema, rule)
    return schema


def field_rows(part: Schema, path: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Yield each field of a schema and its nested objects: its dotted path, its schema, and whether it is required."""
    for name, field in part.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field, name in part.get("required", ())
        inner = field["items"] if field["type"] == "array" else field
        yield from field_rows(inner, here + "[]" if field["type"] == "array" else here)


def _always(text: str) -> Schema:
    return {"type": "string", "maxLength": ENUM_TEXT_LENGTH, "description": f"Always {text}."}


def _printer_column(column: Column) -> Schema:
    found: Schema = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return found | ({"priority": 1} if column.is_wide else {})


def _add_rule(schema: Schema, rule: SchemaRule) -> None:
    """Add the CEL expression and the message of the rule to the part of the schema at the rule's path."""
    for step in rule.path:
        schema = schema["items"] if step == "[]" else schema["properties"][step]
    schema.setdefault("x-kubernetes-validations", []).append({"rule": rule.rule, "message": rule.message})
