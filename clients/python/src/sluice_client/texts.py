"""The sentences of the verdicts. They are the same in Python and TypeScript: both have a copy of one JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: its reason, and templates of what is the case and what to do."""

    reason: str
    message: str
    remedy: str


def _read() -> tuple[dict[str, Finding], dict[str, str]]:
    found = json.loads(resources.files(__package__).joinpath("verdicts.json").read_text("utf-8"))
    return {name: Finding(**texts) for name, texts in found["findings"].items()}, found["details"]


FINDINGS, _DETAILS = _read()


def detail(**parts: str | None) -> str:
    """Return the parts that are known as ` (by ...; reason: ...)`, or an empty text."""
    known = [_DETAILS[name].replace("{text}", text) for name, text in parts.items() if text]
    return f" ({'; '.join(known)})" if known else ""
