"""Reads documents from the Firestore emulator over its REST interface."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

PROJECT = "demo-sluice"


def read_collection(emulator: str, path: str, project: str = PROJECT) -> list[dict[str, Any]]:
    """Return the documents of a Firestore collection in the emulator, each as a map of plain values."""
    url = f"http://{emulator}/v1/projects/{project}/databases/(default)/documents/{path}?pageSize=2000"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer owner"})
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  the emulator, on this machine
        found = json.load(answer).get("documents", [])
    return [{name: _decode_value(value) for name, value in each["fields"].items()} for each in found]


def _decode_value(value: dict[str, Any]) -> Any:
    [(kind, content)] = value.items()
    return {"integerValue": int, "doubleValue": float}.get(kind, lambda same: same)(content)
