"""Logs for machines: one JSON object a line, on standard output."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

# Attributes of every LogRecord; what else is on a record was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`ts`, `level`, `event_type`, `message`, the fields of this process, and what the call gave as `extra`."""

    def __init__(self, fields: dict[str, object]) -> None:
        super().__init__()
        self._fields = fields

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "event_type": "log",
            "message": record.getMessage(),
            **self._fields,
            **{name: _plain(value) for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def _plain(value: object) -> object:
    # A struct would be spelled out field by field, whatever its repr hides.
    return value if isinstance(value, str | int | float | list | datetime | None) else str(value)


def configure(level: str, fields: dict[str, object]) -> None:
    """Sends everything that is logged to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(fields))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.raiseExceptions = False  # whoever read the log is gone, and so would each line of complaint about it be
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
