"""The parts of a stored IngestJob that the present schema and its rules would not accept in a new object.

The API server accepts such a part as long as it does not change, so a stop always works. It refuses the part where it
is written: in an apply of the file that declares it, or when the job is created again.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from .decoding_errors import amount_text
from .pattern_words import words_for_pattern
from .resource import decode_ingest_job
from .rules import messages_of_broken_rules
from .schema import open_api_schema
from .type_schema import Schema
from .yaml_words import reading_of_boolean

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class RefusedPart(msgspec.Struct, frozen=True):
    """A part of a stored document that would be refused: its path, and a clause that says what to write instead."""

    path: str
    problem: str


def refused_parts(document: dict[str, Any]) -> list[RefusedPart]:
    """Return the parts of `spec` and `status` that the API server would refuse in a new object."""
    fields = _fields()
    found = [part for name in fields for part in _refused_by_schema(fields[name], document.get(name, {}), name)]
    if any(part.path.startswith("spec") for part in found):
        return found  # rules are evaluated on a spec that matches its schema
    metadata = {"name": str(document.get("metadata", {}).get("name", ""))}
    try:
        job = decode_ingest_job({"metadata": metadata, "spec": document.get("spec")})
    except msgspec.ValidationError:
        return found
    return [RefusedPart("spec", message) for message in messages_of_broken_rules(job)] + found


@functools.cache
def _fields() -> dict[str, Schema]:
    properties = open_api_schema()["properties"]
    return {name: properties[name] for name in ("spec", "status")}


def _refused_by_schema(schema: Schema, value: Any, path: str) -> Iterator[RefusedPart]:
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        is_misread = kind == "string" and isinstance(value, bool)
        yield RefusedPart(path, reading_of_boolean(value) if is_misread else f"write a value of type {kind}")
        return
    yield from (RefusedPart(path, problem) for problem in _broken_keywords(schema, value))
    if isinstance(value, list):
        yield from _refused_items(schema, value, path)
    elif isinstance(value, dict):
        yield from _refused_fields(schema, value, path)


def _broken_keywords(schema: Schema, value: Any) -> Iterator[str]:
    for keyword, (breaks, expectation) in _KEYWORDS.items():
        if keyword in schema and breaks(value, schema[keyword]):
            yield expectation(schema[keyword])


def _refused_items(schema: Schema, items: list[Any], path: str) -> Iterator[RefusedPart]:
    for number, item in enumerate(items):
        yield from _refused_by_schema(schema["items"], item, f"{path}[{number}]")
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        compared = [[item.get(key) for key in keys] if isinstance(item, dict) else item for item in items]
    else:
        is_set = schema.get("x-kubernetes-list-type") == "set"
        # YAML may have read two different words as the same boolean.
        compared = [each for each in items if not isinstance(each, bool)] if is_set else []
    if len({msgspec.json.encode(each) for each in compared}) < len(compared):
        yield RefusedPart(path, "remove the duplicate entries")


def _refused_fields(schema: Schema, fields: dict[str, Any], path: str) -> Iterator[RefusedPart]:
    for name in schema.get("required", ()):
        if name not in fields:
            yield RefusedPart(f"{path}.{name}", "set this field, which is required")
    for name, value in fields.items():
        field = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
        if field is not None:  # a field that the schema does not have is dropped when the object is read
            yield from _refused_by_schema(field, value, f"{path}.{name}")


_KEYWORDS: Final[dict[str, tuple[Callable[[Any, Any], bool], Callable[[Any], str]]]] = {
    "enum": (lambda value, values: value not in values, lambda values: f"set it to one of {', '.join(values)}"),
    "pattern": (lambda value, pattern: re.search(_ascii_end(pattern), value) is None, words_for_pattern),
    "minimum": (lambda value, bound: value < bound, lambda bound: f"set it to {bound} or more"),
    "maximum": (lambda value, bound: value > bound, lambda bound: f"set it to {bound} or less"),
    "maxLength": (
        lambda value, bound: len(value) > bound,
        lambda bound: f"shorten it to at most {amount_text(bound, 'character')}",
    ),
    "minItems": (lambda value, bound: len(value) < bound, lambda bound: f"list at least {amount_text(bound, 'item')}"),
    "maxItems": (
        lambda value, bound: len(value) > bound,
        lambda bound: f"shorten it to at most {amount_text(bound, 'item')}",
    ),
    "maxProperties": (
        lambda value, bound: len(value) > bound,
        lambda bound: f"shorten it to at most {amount_text(bound, 'key')}",
    ),
}


def _ascii_end(pattern: str) -> str:
    r"""Return the pattern with `\Z` for `$`, which in Python also matches before a final line feed."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
