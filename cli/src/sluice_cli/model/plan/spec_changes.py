"""The fields in which two specs differ, and what the running pod does about each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...contract import contract
from ...text.printable import printable
from ..fields import child

HOT, COLD, NO_POD, UNKNOWN = "hot", "cold", "none", "unknown"
_SETS = ("symbols", "channels", "sessions")
_KEYED = {"pausedSymbols": "symbol"}


class Change(NamedTuple):
    """A changed field. `before` and `after` are None where the field is absent.

    `added` and `removed` have the names in a list of names. `effect` is HOT, COLD, NO_POD (a label) or UNKNOWN (the
    field is newer than the plugin).
    """

    path: str
    before: Any
    after: Any
    effect: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def changes_of_job(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    """Return the fields of the spec, and the labels, in which two objects differ, in the order of the schema."""
    order = {path: position for position, path in enumerate(contract()["fields"])}
    found = sorted(
        _changes((), child(before, "spec"), child(after, "spec")),
        key=lambda each: (order.get(each.path[5:], len(order)), each.path),
    )
    return (*found, *_label_changes(child(before, "metadata", "labels"), child(after, "metadata", "labels")))


def _changes(path: tuple[str, ...], before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new, below = before.get(name), after.get(name), (*path, name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(below, old, new)
        else:
            yield from _leaf_changes(below, old, new)


def _leaf_changes(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:
    """Yield the change of one field; an object that appears or disappears counts by its fields."""
    if old is None and isinstance(new, dict) and new:
        yield from _changes(path, {}, new)
    elif new is None and isinstance(old, dict) and old:
        yield from _changes(path, old, {})
    else:
        change = _change(".".join(path), old, new)
        if not _has_same_items(change):
            yield change


def _change(path: str, old: Any, new: Any) -> Change:
    key = _KEYED.get(path)
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    if path in _SETS or key:
        old_names, new_names = _names(old, key), _names(new, key)
        added = tuple(each for each in new_names if each not in set(old_names))
        removed = tuple(each for each in old_names if each not in set(new_names))
    return Change(printable(f"spec.{path}"), old, new, effect_of(path), added, removed)


def _has_same_items(change: Change) -> bool:
    """Return whether only the order of names differs, which has no effect."""
    return (
        change.path[5:] in _SETS
        and isinstance(change.before, list)
        and isinstance(change.after, list)
        and not change.added
        and not change.removed
        and len(change.before) == len(change.after)
    )


def _names(value: Any, key: str | None) -> list[str]:
    items = value if isinstance(value, list) else []
    if key is not None:
        items = [each.get(key) for each in items if isinstance(each, dict)]
    return [value_text(each) for each in items]


def effect_of(path: str) -> str:
    """Return HOT or COLD for the path of a field, such as `limits.burst`; UNKNOWN if the contract does not have it."""
    fields = contract()["fields"]
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        field = fields.get(".".join(parts[:count]))
        if field is not None:
            is_open = count == len(parts) or not any(each.startswith(".".join(parts[:count]) + ".") for each in fields)
            return (HOT if field["hot"] else COLD) if is_open else UNKNOWN
    return UNKNOWN


def _label_changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Change(printable(f"metadata.labels.{name}"), before.get(name), after.get(name), NO_POD)


def value_text(value: Any) -> str:
    """Return the value of a field in one line, as JSON where it is not a text."""
    return printable(value) if isinstance(value, str) else printable(json.dumps(value, ensure_ascii=False))
