"""The OpenAPI schemas of types: bounds, defaults, list types and descriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect

from .status_values import ENUM_TEXT_LENGTH

Schema = dict[str, Any]

_SET: Schema = {"x-kubernetes-list-type": "set"}
_ATOMIC: Schema = {"x-kubernetes-list-type": "atomic"}

# Lists that the API server merges by key, keeps free of duplicates, or replaces as a whole. The key is the name of the
# field, after the name of its struct where another struct has a field of the same name. A list in a provider's block
# has its type on the field.
_LIST_TYPES: dict[str, Schema] = {
    # In a set, the API server would keep an entry of managedFields for each symbol, for which each report pays.
    "IngestJobSpec.symbols": _ATOMIC,
    "symbols": _SET,
    "channels": _SET,
    "sessions": _SET,
    "pausedSymbols": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["symbol"]},
    "tolerations": _ATOMIC,
    "imagePullSecrets": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "env": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "conditions": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    "jobs": _SET,
    "rejections": _ATOMIC,
    "findings": _ATOMIC,
    "gaps": _ATOMIC,
    "unknownPausedSymbols": _ATOMIC,
    "staleSymbols": _ATOMIC,
    "haltedSymbols": _ATOMIC,
    "unheardSymbols": _ATOMIC,
    "neverTickedSymbols": _ATOMIC,
    "sources": _ATOMIC,
    "history": _ATOMIC,
    "names": _ATOMIC,
    "waitingFor": _ATOMIC,
    "denied": _ATOMIC,
    "values": _ATOMIC,
    "matchExpressions": _ATOMIC,
    "providers": _ATOMIC,
    "feeds": _ATOMIC,
    "hosts": _ATOMIC,
    "SymbolCounts.pausedSymbols": _ATOMIC,  # in the spec, it is a map
}


def type_schema(kind: inspect.Type) -> Schema:
    """Return the OpenAPI schema of a type, with its bounds, defaults and descriptions.

    Raises:
        TypeError: a field has no description, or there is no schema for a type.
    """
    schema_of = _SCHEMA_BY_TYPE.get(type(kind))
    if schema_of is None:
        raise TypeError(f"no OpenAPI schema for {kind}")
    return schema_of(kind)


def _annotated_schema(kind: inspect.Metadata) -> Schema:
    return type_schema(kind.type) | (kind.extra_json_schema or {})


def _optional_schema(kind: inspect.UnionType) -> Schema:
    """Return the OpenAPI schema of the type `X` in the union `X | None`."""
    [inner] = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    return type_schema(inner)


def _array_schema(kind: inspect.ListType) -> Schema:
    array = {"type": "array", "items": type_schema(kind.item_type)}
    return _with_bounds(array, minItems=kind.min_length, maxItems=kind.max_length)


def _map_schema(kind: inspect.DictType) -> Schema:
    # What the keys may be is for a rule: OpenAPI has no bounds for them.
    return _with_bounds(
        {"type": "object", "additionalProperties": type_schema(kind.value_type)}, maxProperties=kind.max_length
    )


def _string_schema(kind: inspect.StrType) -> Schema:
    return _with_bounds({"type": "string"}, pattern=kind.pattern, minLength=kind.min_length, maxLength=kind.max_length)


def _integer_schema(kind: inspect.IntType) -> Schema:
    return _with_bounds({"type": "integer", "format": "int64"}, minimum=kind.ge, maximum=kind.le)


def _number_schema(kind: inspect.FloatType) -> Schema:
    return _with_bounds({"type": "number"}, minimum=kind.ge, maximum=kind.le)


def _enum_schema(kind: inspect.LiteralType) -> Schema:
    return {"type": "string", "enum": list(kind.values), "maxLength": ENUM_TEXT_LENGTH}


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
        "description": docstring_on_one_line(kind.cls.__doc__),
        "properties": properties,
    }
    return schema | ({"required": required} if required else {})


def _field_schema(field: inspect.Field, owner: str) -> Schema:
    """Return the OpenAPI schema of a field, with its default and list type. Raises TypeError without a description."""
    schema = type_schema(field.type)
    if schema["type"] == "array" and "x-kubernetes-list-type" not in schema:
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


def docstring_on_one_line(docstring: str | None) -> str:
    """Return a docstring as one line of text, for a description in a schema."""
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
