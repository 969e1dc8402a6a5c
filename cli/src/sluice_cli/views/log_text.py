"""A log line for people."""

from __future__ import annotations

from ..model.log_line import LogLine
from ..text.instants import UTC
from ..text.terminal import Terminal

_COLORS = {"debug": "dim", "info": "", "warning": "yellow", "error": "red", "critical": "red"}
_LEVEL_WIDTH, _EVENT_WIDTH = 8, 15


def log_text(line: LogLine, terminal: Terminal) -> list[str]:
    """Return the lines for one log line: time, level, kind of event, message and fields, then a traceback."""
    moment = line.at.astimezone(UTC) if line.at is not None else None
    time = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}Z" if moment is not None else "-".ljust(13)
    level = terminal.paint(line.level.upper().ljust(_LEVEL_WIDTH), _COLORS[line.level])
    fields = " ".join(f"{name}={value}" for name, value in line.fields)
    words = (
        f"{time} {level} {line.event.ljust(_EVENT_WIDTH)} {line.message}",
        terminal.paint(fields, "dim") if fields else "",
    )
    return ["  ".join(part for part in words if part), *(f"    {each}" for each in line.details)]
