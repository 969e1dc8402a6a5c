"""A field of a job's spec: its type, whether a change is hot or cold, its bounds and its default."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..contract import contract, field_texts

HOT = "hot: applied on the same connection, without a gap"
COLD = "cold: a change replaces the pod, which costs a gap of a few seconds"
MIXED = "hot and cold: it depends on the field below"

_BOUNDS = {
    "minimum": "at least", "maximum": "at most", "minLength": "length at least", "maxLength": "length at most",
    "minItems": "items at least", "maxItems": "items at most", "pattern": "pattern", "enum": "one of",
}  # fmt: skip


class FieldReference(NamedTuple):
    """A field. `change` is HOT, COLD or MIXED; `bounds` are sentences; `fields` are the names of the fields below."""

    path: str
    type: str
    is_required: bool
    change: str
    default: Any
    bounds: tuple[str, ...]
    description: str
    fields: tuple[str, ...]


def field_reference(path: str) -> FieldReference | None:
    """Return the field at a path such as `limits.writesPerSecond`; None if there is none."""
    field = contract()["fields"].get(path)
    if field is None:
        return None
    text = field_texts()[path]
    bounds = bounds_of(field)
    if "items" in text:
        bounds += tuple(f"each item: {each}" for each in bounds_of(text["items"]))
    return FieldReference(
        path=path,
        type=_type_text(field, text),
        is_required=field["required"],
        change=_change_of(path, field),
        default=field.get("default") if field.get("default") != {} else None,
        bounds=bounds,
        description=text["description"],
        fields=tuple(names_below(path)),
    )


def names_below(path: str) -> list[str]:
    """Return the paths of the fields directly below a path; of the spec itself if it is empty."""
    starts = (f"{path}.", f"{path}[].") if path else ("",)
    return [
        each
        for each in contract()["fields"]
        for start in starts
        if each.startswith(start) and not set(each[len(start) :]) & set(".[")
    ]


def bounds_of(field: dict[str, Any]) -> tuple[str, ...]:
    """Return the bounds of a field as sentences."""
    return tuple(
        f"{words} {', '.join(map(str, field[name])) if name == 'enum' else field[name]}"
        for name, words in _BOUNDS.items()
        if name in field and not (name == "maxLength" and "enum" in field)
    )


def _type_text(field: dict[str, Any], text: dict[str, Any]) -> str:
    return f"list of {text['items']['type']}s" if "items" in text else str(field["type"])


def _change_of(path: str, field: dict[str, Any]) -> str:
    below = {other["hot"] for name, other in contract()["fields"].items() if name.startswith((f"{path}.", f"{path}[]"))}
    if len(below | {field["hot"]}) == 2 and below != {field["hot"]}:
        return MIXED if len(below) == 2 else (HOT if below == {True} else COLD)
    return HOT if field["hot"] else COLD
