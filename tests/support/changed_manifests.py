"""Manifests that differ from another one in some fields."""

from __future__ import annotations

import copy
from typing import Any

Manifest = dict[str, Any]
Path = tuple[str | int, ...]

REMOVED = object()


def with_field(manifest: Manifest, path: Path, value: object) -> Manifest:
    """Return a copy of the manifest with this value at the path. Missing objects on the way are created.

    A number is an index of a list; the index after the last one appends. The value REMOVED removes the field.
    """
    changed = copy.deepcopy(manifest)
    place: Any = changed
    for name in path[:-1]:
        place = place.setdefault(name, {}) if isinstance(place, dict) else place[name]
    last = path[-1]
    if value is REMOVED:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return changed
