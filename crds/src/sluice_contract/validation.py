"""Validation of an IngestJob document without an API server, with messages like those of kubectl."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import msgspec

from . import identity
from .resource import decode_ingest_job
from .rules import messages_of_broken_rules
from .schema import Schema, open_api_schema

_AT = re.compile(r"(?P<words>.*) - at `\$\.?(?P<path>[^`]*)`", re.DOTALL)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_STEP = re.compile(r"\[(?P<index>\d+)\]|\.?(?P<name>[^.\[\]]+)")


def find_mistakes(document: dict[str, Any]) -> list[str]:
    """Return a sentence for each mistake in an IngestJob document.

    Mistakes are unknown fields, values of the wrong type or out of bounds, and broken rules across fields.
    """
    if found := [
        *_mistakes_in_header(document),
        *_unknown_field_and_duplicate_mistakes(document, _schema_with_any_metadata_and_status(open_api_schema())),
    ]:
        return found
    try:
        return messages_of_broken_rules(decode_ingest_job(document))
    except msgspec.ValidationError as error:
        return [_decoding_mistake(str(error), document)]


def _mistakes_in_header(document: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each mistake in apiVersion, kind, metadata.name and metadata.namespace."""
    for field, value in (("apiVersion", identity.API_VERSION), ("kind", identity.KIND)):
        given = document.get(field, value)
        if given != value:
            yield f"{field} is {given!r}: set it to {value}"
    metadata = document.get("metadata")
    for field in ("name", "namespace"):
        given = metadata.get(field) if isinstance(metadata, dict) else None
        if isinstance(given, str) and given and not _NAME.fullmatch(given):
            yield f"metadata.{field} is {given!r}: use lower-case letters, digits, and - and . between them"


def _schema_with_any_metadata_and_status(schema: Schema) -> Schema:
    """Return the schema with any content allowed in `metadata` and `status`.

    Kubernetes validates the metadata, and users do not write the status.
    """
    known = {name: field for name, field in schema["properties"].items() if name not in ("metadata", "status")}
    return schema | {"properties": known | {"metadata": {}, "status": {}}}


def _unknown_field_and_duplicate_mistakes(part: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """Yield a sentence for each unknown field, and for each item that occurs twice in a list, at or below `path`.

    Values of a wrong type are skipped, because decoding reports them.
    """
    properties = schema.get("properties")
    if isinstance(part, list):
        yield from _duplicate_mistakes(part, schema, path)
        for index, each in enumerate(part):
            yield from _unknown_field_and_duplicate_mistakes(each, schema.get("items", {}), f"{path}[{index}]")
    elif isinstance(part, dict) and properties:
        for name, value in part.items():
            here = f"{path}.{name}" if path else str(name)
            if name in properties:
                yield from _unknown_field_and_duplicate_mistakes(value, properties[name], here)
            else:
                near = get_close_matches(str(name), properties, n=1)
                yield f"unknown field {here}; {f'did you mean {near[0]}?' if near else 'remove it'}"


def _duplicate_mistakes(part: list[Any], schema: Schema, path: str) -> Iterator[str]:
    """Yield a sentence for each duplicate item, if the list is a set or a map."""
    keys = schema.get("x-kubernetes-list-map-keys", [])
    is_unique = bool(keys) or schema.get("x-kubernetes-list-type") == "set"
    if is_unique:
        names = (" ".join(str(each.get(key)) for key in keys) if isinstance(each, dict) else str(each) for each in part)
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{path} contains {name} {count} times: keep only one"


def _decoding_mistake(error: str, document: dict[str, Any]) -> str:
    """Turn a msgspec error into a sentence for the user.

    It has the path of the field, its value where that is short, what is wrong, and the field's description.
    """
    parts = _AT.fullmatch(error)
    if parts is None:
        return f"this is not an IngestJob: {error}"
    value, schema = _value_and_schema_at(parts["path"], document)
    description, known = str(schema.get("description", "")).rstrip("."), ", ".join(map(str, schema.get("enum", ())))
    if known:
        return f"{parts['path']} is {value!r}: set it to one of {known} ({description})"
    shown = f"{parts['path']} is {value!r}" if isinstance(value, str | int | float | bool) else parts["path"]
    return f"{shown}: {parts['words']}{f' ({description})' if description else ''}"


def _value_and_schema_at(path: str, document: dict[str, Any]) -> tuple[Any, Schema]:
    """Return the value at a path and its schema. If they do not exist, return None and an empty schema."""
    value: Any = document
    schema = open_api_schema()
    for step in _STEP.finditer(path):
        try:
            value = value[int(step["index"])] if step["index"] else value[step["name"]]
        except (LookupError, TypeError):
            value = None
        schema = schema.get("items", {}) if step["index"] else schema.get("properties", {}).get(step["name"], {})
    return value, schema
