"""One line of the log of a pod: JSON with the fields of docs/logs.md, or text of another program."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from ..text.instants import parse_instant
from ..text.printable import printable

LEVELS = ("debug", "info", "warning", "error", "critical")
# What the pretty line shows by itself, and what is the same in each line of one job.
_OWN_FIELDS = ("ts", "severity", "level", "logger", "event_type", "message", "job", "tenant", "epoch")
_LONG_TEXTS = ("exception", "stack")


class LogLine(NamedTuple):
    """A line of the log. `fields` are what the event adds; `details` are the lines of a traceback."""

    at: datetime | None
    level: str  # one of LEVELS
    event: str
    message: str
    fields: tuple[tuple[str, str], ...]
    details: tuple[str, ...]

    def is_at_least(self, level: str) -> bool:
        """Return whether the line has this level or a more severe one."""
        return LEVELS.index(self.level) >= LEVELS.index(level)


def parse_log_line(line: str) -> LogLine | None:
    """Return the content of a line; None if it is no log line of Sluice."""
    try:
        found = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("level") not in LEVELS or not isinstance(found.get("message"), str):
        return None
    details = [part for name in _LONG_TEXTS for part in _lines_of(found.get(name))]
    added = [each for each in found.items() if each[0] not in (*_OWN_FIELDS, *_LONG_TEXTS)]
    return LogLine(
        at=parse_instant(found.get("ts")),
        level=found["level"],
        event=printable(found.get("event_type")),
        message=printable(found["message"]),
        fields=tuple((printable(name), _value_text(value)) for name, value in added),
        details=tuple(details),
    )


def _lines_of(value: Any) -> list[str]:
    if not isinstance(value, str):
        return []
    return [" " * (len(each) - len(each.lstrip(" "))) + printable(each.strip()) for each in value.splitlines()]


def _value_text(value: Any) -> str:
    """Return a value as text; a text that could be mistaken for several words is quoted."""
    if isinstance(value, str):
        text = printable(value)
        return text if text and not set(text) & set(' "=') else json.dumps(text, ensure_ascii=False)
    return printable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
