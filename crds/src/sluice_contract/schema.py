"""The CustomResourceDefinition, generated from the types: structural schema, CEL rules, defaults, columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

from . import identity
from .resource import IngestJob
from .rule import ValidationRule
from .rules import RULES
from .spec import IngestJobSpec
from .status import IngestJobStatus

Schema = dict[str, Any]

# With names of usual length, the default table (priority 0) has about 120 characters.
_COLUMNS = (
    ("Provider", "string", ".spec.provider", 0),
    ("Phase", "string", ".status.phase", 0),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 0),
    ("Live", "string", ".status.stream.symbols.live", 0),
    ("Last-Quote", "date", ".status.stream.heartbeat.lastQuoteReceivedAt", 0),
    ("Last-Report", "date", ".status.stream.heartbeat.at", 0),
    ("Paused-By", "string", ".status.stream.pause.source", 0),
    ("Dry-Run", "boolean", ".spec.dryRun", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Tenant", "string", ".spec.tenant", 1),
    ("Feed", "string", ".status.stream.feed", 1),
    ("Paused-Symbols", "string", ".status.stream.symbols.pausedSymbols", 1),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
)

# Lists that the API server merges by key, keeps free of duplicates, or replaces as a whole. The key is the name of the
# field, after the name of its struct where another struct has a field of the same name.
_LIST_TYPES: dict[str, Schema] = {
    "symbols": {"x-kubernetes-list-type": "set"},
    "channels": {"x-kubernetes-list-type": "set"},
    "sessions": {"x-kubernetes-list-type": "set"},
    "pausedSymbols": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["symbol"]},
    "tolerations": {"x-kubernetes-list-type": "atomic"},
    "imagePullSecrets": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "env": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "conditions": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    "rejections": {"x-kubernetes-list-type": "atomic"},
    "faults": {"x-kubernetes-list-type": "atomic"},
    "findings": {"x-kubernetes-list-type": "atomic"},
    "gaps": {"x-kubernetes-list-type": "atomic"},
    "unknownPaused": {"x-kubernetes-list-type": "atomic"},
    "staleSymbols": {"x-kubernetes-list-type": "atomic"},
    "haltedSymbols": {"x-kubernetes-list-type": "atomic"},
    "unheardSymbols": {"x-kubernetes-list-type": "atomic"},
    "neverTickedSymbols": {"x-kubernetes-list-type": "atomic"},
    "SymbolCounts.pausedSymbols": {"x-kubernetes-list-type": "atomic"},  # in the spec, it is a map
}


def custom_resource_definition() -> Schema:
    """Return the manifest of the IngestJob CRD."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{identity.PLURAL}.{identity.GROUP}"},
        "spec": {
            "group": identity.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": identity.KIND,
                "listKind": f"{identity.KIND}List",
                "plural": identity.PLURAL,
                "singular": identity.SINGULAR,
                "shortNames": [identity.SHORT_NAME],
                "categories": [identity.CATEGORY],
            },
            "versions": [
                {
                    "name": identity.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_printer_column(*column) for column in _COLUMNS],
                    "schema": {"openAPIV3Schema": open_api_schema()},
                }
            ],
        },
    }


def open_api_schema() -> Schema:
    """Return the OpenAPI schema of an IngestJob, with its CEL rules."""
    schema: Schema = {
        "type": "object",
        "description": _docstring_on_one_line(IngestJob.__doc__),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {identity.API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {identity.KIND}."},
            "metadata": {"type": "object"},
            "spec": _type_schema(inspect.type_info(IngestJobSpec)),
            "status": _type_schema(inspect.type_info(IngestJobStatus)),
        },
    }
    for rule in RULES:
        _add_rule(schema, rule)
    return schema


def field_rows(part: Schema, path: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Yield each field of a schema and its nested objects: its dotted path, its schema, and whether it is required."""
    for name, field in part.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field, name in part.get("required", ())
        inner = field["items"] if field["type"] == "array" else field
        yield from field_rows(inner, here + "[]" if field["type"] == "array" else here)


def _printer_column(name: str, kind: str, path: str, priority: int) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path}
    return column | ({"priority": priority} if priority else {})


def _add_rule(schema: Schema, rule: ValidationRule) -> None:
    """Add the CEL expression and the message of the rule to the part of the schema at the rule's path."""
    for step in rule.path:
        schema = schema["properties"][step]
    schema.setdefault("x-kubernetes-validations", []).append({"rule": rule.rule, "message": rule.message})


def _type_schema(kind: inspect.Type) -> Schema:
    """Return the OpenAPI schema of a type."""
    schema_of = _SCHEMA_BY_TYPE.get(type(kind))
    if schema_of is None:
        raise TypeError(f"no OpenAPI schema for {kind}")
    return schema_of(kind)


def _annotated_schema(kind: inspect.Metadata) -> Schema:
    return _type_schema(kind.type) | (kind.extra_json_schema or {})


def _optional_schema(kind: inspect.UnionType) -> Schema:
    """Return the OpenAPI schema of the type `X` in the union `X | None`."""
    [inner] = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    return _type_schema(inner)


def _array_schema(kind: inspect.ListType) -> Schema:
    array = {"type": "array", "items": _type_schema(kind.item_type)}
    return _with_bounds(array, minItems=kind.min_length, maxItems=kind.max_length)


def _map_schema(kind: inspect.DictType) -> Schema:
    # What the keys may be is for a rule: OpenAPI has no bounds for them.
    return _with_bounds(
        {"type": "object", "additionalProperties": _type_schema(kind.value_type)}, maxProperties=kind.max_length
    )


def _string_schema(kind: inspect.StrType) -> Schema:
    return _with_bounds({"type": "string"}, pattern=kind.pattern, minLength=kind.min_length, maxLength=kind.max_length)


def _integer_schema(kind: inspect.IntType) -> Schema:
    return _with_bounds({"type": "integer", "format": "int64"}, minimum=kind.ge, maximum=kind.le)


def _number_schema(kind: inspect.FloatType) -> Schema:
    return _with_bounds({"type": "number"}, minimum=kind.ge, maximum=kind.le)


def _enum_schema(kind: inspect.LiteralType) -> Schema:
    return {"type": "string", "enum": list(kind.values)}


def _boolean_schema(_: inspect.BoolType) -> Schema:
    return {"type": "boolean"}


def _instant_schema(_: inspect.DateTimeType) -> Schema:
    return {"type": "string"}  # no format: see instants


def _with_bounds(schema: Schema, **bounds: Any) -> Schema:
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def _object_schema(kind: inspect.StructType) -> Schema:
    properties = {field.encode_name: _field_schema(field, kind.cls.__name__) for field in kind.fields}
    required = [field.encode_name for field in kind.fields if field.required]
    schema: Schema = {
        "type": "object",
        "description": _docstring_on_one_line(kind.cls.__doc__),
        "properties": properties,
    }
    return schema | ({"required": required} if required else {})


def _field_schema(field: inspect.Field, owner: str) -> Schema:
    """Return the OpenAPI schema of a field, with its default and list type. Raises TypeError without a description."""
    schema = _type_schema(field.type)
    if schema["type"] == "array":
        name = field.encode_name
        schema |= _LIST_TYPES.get(f"{owner}.{name}") or _LIST_TYPES[name]
    if not field.required:
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        # An empty list or map as default would take part in server-side apply without any benefit.
        if default not in (None, [], {}):
            schema["default"] = msgspec.to_builtins(default)
    if "description" not in schema:
        raise TypeError(f"{field.name} has no description: add one, because `kubectl explain` shows it")
    return schema


def _docstring_on_one_line(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


_SCHEMA_BY_TYPE: dict[type[inspect.Type], Callable[[Any], Schema]] = {
    inspect.Metadata: _annotated_schema,
    inspect.UnionType: _optional_schema,
    inspect.StructType: _object_schema,
    inspect.ListType: _array_schema,
    inspect.DictType: _map_schema,
    inspect.StrType: _string_schema,
    inspect.IntType: _integer_schema,
    inspect.FloatType: _number_schema,
    inspect.LiteralType: _enum_schema,
    inspect.BoolType: _boolean_schema,
    inspect.DateTimeType: _instant_schema,
}
