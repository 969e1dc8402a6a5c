"""Values of a struct in which each text, list and integer is beyond its bound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, inspect

Schema = dict[str, Any]

_SINGLE_VALUES: dict[type[inspect.Type], Any] = {
    inspect.StrType: "\N{BAR CHART}" * 40_000,
    inspect.IntType: 2**63 - 1,
    inspect.BoolType: True,
    inspect.DateTimeType: datetime(2026, 11, 28, 19, 59, 59, 999999, tzinfo=UTC),
}


def overlong_struct(kind: type[Struct]) -> Any:
    """Return a struct of this type in which each text, list and integer is beyond its bound."""
    return _overlong(inspect.type_info(kind))


def _overlong(kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.Metadata):
        return _overlong(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _overlong(next(each for each in kind.types if not isinstance(each, inspect.NoneType)))
    if isinstance(kind, inspect.StructType):
        return kind.cls(**{field.name: _overlong(field.type) for field in kind.fields})
    if isinstance(kind, inspect.ListType):
        return [_overlong(kind.item_type)] * 30
    return _SINGLE_VALUES[type(kind)]


def broken_bounds(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Yield the path of each value that is beyond its bound in the schema. Lists of values (enum) are not compared."""
    if _is_beyond_bound(schema, value):
        yield path
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from broken_bounds(schema["items"], each, f"{path}[{number}]")
    if isinstance(value, dict):
        for name, each in value.items():
            field = schema["properties"][name] if "properties" in schema else schema["additionalProperties"]
            yield from broken_bounds(field, each, f"{path}.{name}")


def _is_beyond_bound(schema: Schema, value: Any) -> bool:
    if schema["type"] == "integer":
        return not schema["minimum"] <= value <= schema["maximum"]
    bound = next((schema[name] for name in ("maxLength", "maxItems", "maxProperties") if name in schema), None)
    return bound is not None and len(value) > bound
