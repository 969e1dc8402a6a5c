"""Reads documents from the Firestore emulator over its REST interface."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

# The project of jobs that name none, in the operator's settings and in every command here.
PROJECT = "demo-sluice"
_REQUEST_SECONDS = 10


def read_collection(emulator: str, path: str, project: str = PROJECT) -> list[dict[str, Any]]:
    """Return the documents of a Firestore collection in the emulator, each as a map of plain values. Times are texts.

    Raises OSError if the emulator does not answer.
    """
    found = _get_json(emulator, f"projects/{project}/databases/(default)/documents/{path}?pageSize=2000")
    return [_decode_fields(each) for each in found.get("documents", [])]


def _get_json(emulator: str, resource: str) -> dict[str, Any]:
    request = urllib.request.Request(f"http://{emulator}/v1/{resource}", headers={"Authorization": "Bearer owner"})
    with urllib.request.urlopen(request, timeout=_REQUEST_SECONDS) as answer:  # noqa: S310  the emulator, on this machine
        found: dict[str, Any] = json.load(answer)
    return found


def _decode_fields(holder: dict[str, Any]) -> dict[str, Any]:
    return {name: _decode_value(value) for name, value in holder.get("fields", {}).items()}


def _decode_value(value: dict[str, Any]) -> Any:
    [(kind, content)] = value.items()
    if kind == "mapValue":
        return _decode_fields(content)
    if kind == "arrayValue":
        return [_decode_value(each) for each in content.get("values", [])]
    return {"integerValue": int, "doubleValue": float}.get(kind, lambda same: same)(content)
