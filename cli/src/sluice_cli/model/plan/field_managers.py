"""Which manager set a field of an object, by its managedFields."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from ..fields import child, instant, objects, text

_APPLIERS = ("kubectl-client-side-apply", "kubectl")


class FieldOwner(NamedTuple):
    """A field manager that set a field, and when it last wrote the object."""

    manager: str
    at: datetime | None


def other_owner(
    document: dict[str, Any], path: str, items: tuple[str, ...] = (), manager: str = ""
) -> FieldOwner | None:
    """Return the newest manager that set a field; None if there is none besides `manager` and kubectl's apply.

    `path` is one like `spec.limits.burst`. With `items`, a manager counts that set one of these names in the list.
    """
    found = [
        FieldOwner(text(each, "manager"), instant(each, "time"))
        for each in objects(document, "metadata", "managedFields")
        if not text(each, "subresource")
        and text(each, "manager") not in (*_APPLIERS, manager)
        and _has_field(child(each, "fieldsV1"), path, items)
    ]
    return max(found, key=lambda each: each.at.timestamp() if each.at else 0.0, default=None)


def _has_field(fields: dict[str, Any], path: str, items: tuple[str, ...]) -> bool:
    parts = ["metadata", "labels", path[16:]] if path.startswith("metadata.labels.") else path.split(".")
    for part in parts:
        name = f"f:{part}"
        if name not in fields:
            return False
        fields = child(fields, name)
    if not items:
        return True
    keys = {f"v:{json.dumps(each)}" for each in items} | {f'k:{{"symbol":{json.dumps(each)}}}' for each in items}
    return bool(keys & set(fields))
