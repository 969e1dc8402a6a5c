"""The cases of `clients/cases.json`, which every implementation of the verdict and of the skew passes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[2] / "clients/cases.json"


@dataclass(frozen=True)
class VerdictCase:
    """Documents and circumstances, and the verdict to expect."""

    name: str
    quote: object
    heartbeat: object
    now: datetime
    reader: dict[str, Any]
    expected: dict[str, Any]


@dataclass(frozen=True)
class SkewCase:
    """Heartbeats as they arrive (ts, arrival, whether the first of a listener) and the skew to expect, in seconds."""

    name: str
    heartbeats: list[tuple[float, float, bool]]
    skew: float


def skew_cases() -> list[SkewCase]:
    """Return the cases of the skew's estimate."""
    found = json.loads(CASES.read_text())
    return [
        SkewCase(
            name=case["name"],
            heartbeats=[(each["ts"], each["arrived"], each.get("first", False)) for each in case["heartbeats"]],
            skew=case["skew"],
        )
        for case in found["skew_cases"]
    ]


def verdict_cases() -> list[VerdictCase]:
    """Return the cases. The file's `about` says how they are written."""
    found = json.loads(CASES.read_text())
    return [_case(each, found) for each in found["cases"]]


def _case(case: dict[str, Any], table: dict[str, Any]) -> VerdictCase:
    reader = {
        "skew": case.get("skew", 0),
        "stale_after": case.get("stale_after", 30),
        "is_signed_in": case.get("signed_in", True),
        "is_connected": case.get("connected", True),
    }
    return VerdictCase(
        name=case["name"],
        quote=_document(case, table, "quote"),
        heartbeat=_document(case, table, "heartbeat"),
        now=datetime.fromisoformat(case.get("now", table["now"])),
        reader=reader,
        expected={name: case[name] for name in ("live", "usable", "reason", "message")},
    )


def _document(case: dict[str, Any], table: dict[str, Any], name: str) -> object:
    changes = case.get(name, {})
    if not isinstance(changes, dict):
        return changes
    fields = changes["$only"] if "$only" in changes else {**table[name], **changes}
    return {key: _value(value) for key, value in fields.items() if value != "$absent"}


def _value(value: object) -> object:
    return float(value["$number"]) if isinstance(value, dict) and "$number" in value else value


def complete_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of the complete quote and heartbeat, which the cases change."""
    found = json.loads(CASES.read_text())
    return found["quote"], found["heartbeat"]
