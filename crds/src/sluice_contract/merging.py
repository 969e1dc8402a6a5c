"""JSON merge patches (RFC 7386), for writes that a server-side apply cannot do.

The API server answers HTTP 500 to each apply on an object in which a stored value breaks the schema. And an apply does
not remove values that another writer has added to the fields of this writer.
"""

from __future__ import annotations

from typing import Any


def create_merge_patch(stored: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch that changes `stored` to `wanted`; empty if they are equal."""
    removed: dict[str, Any] = {name: None for name in stored if name not in wanted}
    changed: dict[str, Any] = {}
    for name, value in wanted.items():
        before = stored.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            if patch := create_merge_patch(before, value):
                changed[name] = patch
        elif before != value or name not in stored:
            changed[name] = value
    return removed | changed


def create_removal_patch(stored: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch that only removes the fields of `stored` that `wanted` lacks; empty if there are none."""
    found: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in wanted:
            found[name] = None
        elif isinstance(value, dict) and isinstance(wanted[name], dict):
            found[name] = create_removal_patch(value, wanted[name])
    return {name: patch for name, patch in found.items() if patch != {}}
