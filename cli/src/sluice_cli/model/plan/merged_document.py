"""The object that `kubectl apply` would store, computed without the API server."""

from __future__ import annotations

import copy
import json
from typing import Any

from ...contract import contract
from ..fields import child

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def merged_document(live: dict[str, Any] | None, document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the defaults of the schema, merged into the live object if there is one.

    A field that the last applied document has and this one lacks is removed, as kubectl does it. A list replaces the
    whole list. Admission webhooks may change more.
    """
    spec = child(document, "spec")
    labels = child(document, "metadata", "labels")
    if live is not None:
        last = _last_applied(live)
        spec = _merged(child(live, "spec"), spec, child(last, "spec"))
        labels = _merged(child(live, "metadata", "labels"), labels, child(last, "metadata", "labels"))
    metadata = {**child(live, "metadata"), **child(document, "metadata"), "labels": labels}
    return {**document, "metadata": metadata, "spec": with_defaults(spec)}


def _last_applied(live: dict[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(child(live, "metadata", "annotations").get(_LAST_APPLIED) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _merged(live: dict[str, Any], new: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `live`, changed by those of `new`, without those that only `last` has."""
    merged = {name: value for name, value in live.items() if name in new or name not in last}
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(live.get(name), dict):
            merged[name] = _merged(live[name], value, child(last, name))
        elif value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged


def with_defaults(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with the defaults of the schema, as the API server fills them in. Items of lists are not changed.

    An object that an earlier version of the CRD stored may lack fields that have a default now.
    """
    filled = copy.deepcopy(spec)
    for path, field in contract()["fields"].items():
        if "default" not in field or "[]" in path:
            continue
        *above, name = path.split(".")
        parent: Any = filled
        for each in above:
            parent = parent.get(each) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.setdefault(name, copy.deepcopy(field["default"]))
    return filled
