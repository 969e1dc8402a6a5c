"""Validation of a document against the schema of the CRD with the library jsonschema, as the API server does it.

Only a runtime without an API server imports this module. The schema is the one that the CRD has, so the two cannot
differ. What OpenAPI and JSON Schema do not have in common is added to the library's validator: unknown fields are
errors, lists can be sets or maps, and `$` in a pattern is the end of the text.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from . import identity
from .metadata_schema import METADATA_SCHEMA
from .pod import QUALIFIED_NAME
from .schema import open_api_schema
from .type_schema import Schema

_Errors = Iterator[ValidationError]


def schema_errors(document: Any) -> list[ValidationError]:
    """Return the errors in a document, in the order of its fields. Fields with null must have been removed."""
    return list(_validator().iter_errors(document))


def without_nulls(part: Any, schema: Schema | None = None) -> Any:
    """Return the document without the fields that are null, as the API server stores it. List items stay.

    A field that the schema does not have stays too, because it is an error whatever its value is.
    """
    schema = document_schema() if schema is None else schema
    if isinstance(part, list):
        return [without_nulls(each, schema.get("items", {})) for each in part]
    if not isinstance(part, dict):
        return part
    fields, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = {}
    for name, value in part.items():
        field = fields.get(name, others)
        if value is not None or field is None:
            found[name] = without_nulls(value, field or {})
    return found


@functools.cache
def document_schema() -> Schema:
    """Return the schema of the CRD with what the API server checks in addition: header, metadata, names in the status.

    The values in a status do not matter: the API server ignores the status of a document that a user applies.
    """
    schema = open_api_schema()
    known = schema["properties"]
    header = {
        "apiVersion": {"type": "string", "enum": [identity.API_VERSION]},
        "kind": {"type": "string", "enum": [identity.KIND]},
    }
    own = {"metadata": METADATA_SCHEMA, "status": _names_only(known["status"])}
    for field in ("nodeSelector", "labels", "annotations"):
        _add_names_of_keys(known["spec"]["properties"]["pod"]["properties"][field])
    return schema | {"required": ["metadata", "spec"], "properties": known | header | own}


def _add_names_of_keys(part: Schema) -> None:
    """Add what the first rule of a map demands of its keys, because OpenAPI has no schema for keys."""
    part["propertyNames"] = {"pattern": QUALIFIED_NAME, "x-kubernetes-validations": part["x-kubernetes-validations"]}


def _names_only(schema: Schema) -> Schema:
    """Return a schema that accepts any value in the fields that `schema` has, and no other field."""
    found: Schema = {}
    if "properties" in schema:
        found["properties"] = {name: _names_only(field) for name, field in schema["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in schema:
            found[name] = _names_only(schema[name])
    return found


def _properties(validator: Draft202012Validator, fields: Schema, part: Any, schema: Schema) -> _Errors:
    """Validate the fields of an object. A field that is not in the schema is an error, with the likely name."""
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name in fields:
            yield from validator.descend(value, fields[name], path=name, schema_path=name)
        elif "additionalProperties" not in schema:
            near = get_close_matches(str(name), fields, n=1)
            yield ValidationError(f"did you mean {near[0]}?" if near else "remove it", validator=UNKNOWN, path=[name])


def _pattern(_: object, pattern: str, value: Any, __: Schema) -> _Errors:
    """Compare a text with a pattern. In Go, `$` does not match before a final newline."""
    if isinstance(value, str) and not re.search(_with_go_end(pattern), value):
        yield ValidationError("does not match")


@functools.cache
def _with_go_end(pattern: str) -> str:
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern


def _list_type(_: object, kind: str, part: Any, schema: Schema) -> _Errors:
    """Find items that occur twice in a list that is a set, or a map by some keys of its items."""
    if kind == "atomic" or not isinstance(part, list):
        return
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys is None:
        # An item of another type is an error by itself: YAML may have read two different words as the same value.
        names = [each for each in part if isinstance(each, str)]
    else:
        values: list[list[Any]] = [[each.get(key) for key in keys] for each in part if isinstance(each, dict)]
        names = [" ".join(each) for each in values if all(isinstance(value, str) for value in each)]
    for name, count in Counter(names).items():
        if count > 1:
            yield ValidationError(f"contains {name} {count} times: keep only one")


UNKNOWN: Final = "unknownField"
_KEYWORDS: Final[dict[str, Callable[..., _Errors]]] = {
    "properties": _properties,
    "pattern": _pattern,
    "x-kubernetes-list-type": _list_type,
}


@functools.cache
def _validator() -> Draft202012Validator:
    kind: type[Draft202012Validator] = extend(Draft202012Validator, validators=_KEYWORDS)  # type: ignore[no-untyped-call]
    return kind(document_schema())
