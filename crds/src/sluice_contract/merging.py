"""JSON merge patches (RFC 7386), which also work where a server-side apply does not.

The API server answers HTTP 500 to each apply on an object that contains a value which its schema cannot type. And an
apply keeps what another writer has added to the fields of its writer.
"""

from __future__ import annotations

from typing import Any


def create_merge_patch(stored: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that makes `stored` equal to `wanted`; empty if they are equal already."""
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
    """Return the patch that removes from `stored` what is not in `wanted`; empty if there is nothing to remove."""
    found: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in wanted:
            found[name] = None
        elif isinstance(value, dict) and isinstance(wanted[name], dict):
            found[name] = create_removal_patch(value, wanted[name])
    return {name: patch for name, patch in found.items() if patch != {}}
