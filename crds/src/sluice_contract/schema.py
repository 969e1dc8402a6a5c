"""The CustomResourceDefinition, generated from the types: structural schema, CEL rules, defaults, columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from . import identity
from .resource import IngestJob
from .rule import Rule
from .rules import RULES
from .spec import IngestJobSpec
from .status import IngestJobStatus

Schema = dict[str, Any]

_COLUMNS = (
    ("Tenant", "string", ".spec.tenant", 0),
    ("Provider", "string", ".spec.provider", 0),
    ("Phase", "string", ".status.phase", 0),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Live", "string", ".status.stream.symbols.live", 0),
    ("Last-Quote", "date", ".status.stream.heartbeat.lastQuoteAt", 0),
    ("Heartbeat", "date", ".status.stream.heartbeat.at", 0),
    ("Paused-By", "string", ".status.stream.pause.source", 0),
    ("Dry-Run", "boolean", ".spec.dryRun", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 1),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
)

# Lists that the API server merges by key, or keeps free of duplicates.
_LIST_TYPES: dict[str, Schema] = {
    "symbols": {"x-kubernetes-list-type": "set"},
    "channels": {"x-kubernetes-list-type": "set"},
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
                    "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
                    "schema": {"openAPIV3Schema": open_api_schema()},
                }
            ],
        },
    }


def open_api_schema() -> Schema:
    """Return the structural schema of an IngestJob, including its rules."""
    schema: Schema = {
        "type": "object",
        "description": _text(IngestJob.__doc__),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {identity.API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {identity.KIND}."},
            "metadata": {"type": "object"},
            "spec": _schema(inspect.type_info(IngestJobSpec)),
            "status": _schema(inspect.type_info(IngestJobStatus)),
        },
    }
    for rule in RULES:
        _add_rule(schema, rule)
    return schema


def field_rows(part: Schema, path: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Yield every field below a schema, depth first: its dotted path, its schema, and whether it is required."""
    for name, field in part.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field, name in part.get("required", ())
        inner = field["items"] if field["type"] == "array" else field
        yield from field_rows(inner, here + "[]" if field["type"] == "array" else here)


def _column(name: str, kind: str, path: str, priority: int) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path}
    return column | ({"priority": priority} if priority else {})


def _add_rule(schema: Schema, rule: Rule) -> None:
    for step in rule.path:
        schema = schema["properties"][step]
    schema.setdefault("x-kubernetes-validations", []).append({"rule": rule.rule, "message": rule.message})


def _schema(kind: inspect.Type) -> Schema:  # noqa: C901, PLR0911  one case a type
    """The schema of one type, without its place in a parent."""
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return _schema(inner) | (extra or {})
        case inspect.UnionType(types=types):
            [inner] = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _schema(inner)
        case inspect.StructType():
            return _object(kind)
        case inspect.ListType(item_type=item, min_length=least, max_length=most):
            return _bounded({"type": "array", "items": _schema(item)}, minItems=least, maxItems=most)
        case inspect.DictType(value_type=value, max_length=most):
            # What the keys may be is for a rule: OpenAPI has no bounds for them.
            return _bounded({"type": "object", "additionalProperties": _schema(value)}, maxProperties=most)
        case inspect.StrType(pattern=pattern, min_length=least, max_length=most):
            return _bounded({"type": "string"}, pattern=pattern, minLength=least, maxLength=most)
        case inspect.IntType(ge=least, le=most):
            return _bounded({"type": "integer", "format": "int64"}, minimum=least, maximum=most)
        case inspect.FloatType(ge=least, le=most):
            return _bounded({"type": "number"}, minimum=least, maximum=most)
        case inspect.LiteralType(values=values):
            return {"type": "string", "enum": list(values)}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.DateTimeType():
            return {"type": "string"}  # no format: see instants
    raise TypeError(f"no OpenAPI schema for {kind}")


def _bounded(schema: Schema, **bounds: Any) -> Schema:
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def _object(kind: inspect.StructType) -> Schema:
    properties = {field.encode_name: _property(field) for field in kind.fields}
    required = [field.encode_name for field in kind.fields if field.required]
    schema: Schema = {"type": "object", "description": _text(kind.cls.__doc__), "properties": properties}
    return schema | ({"required": required} if required else {})


def _property(field: inspect.Field) -> Schema:
    schema = _schema(field.type)
    if schema["type"] == "array":
        schema |= _LIST_TYPES[field.encode_name]
    if not field.required:
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        # An empty list or map as default would take part in server-side apply without any benefit.
        if default not in (None, [], {}):
            schema["default"] = msgspec.to_builtins(default)
    if "description" not in schema:
        raise TypeError(f"{field.name} has no description: add one, because `kubectl explain` shows it")
    return schema


def _text(docstring: str | None) -> str:
    return " ".join((docstring or "").split())
