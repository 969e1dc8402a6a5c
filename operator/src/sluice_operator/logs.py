"""Logs for machines: one JSON object a line."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# kopf hangs these on its records; they say nothing that the message does not.
_NOISE = frozenset({"settings", "k8s_ref", "k8s_skip"})


class JsonLines(logging.Formatter):
    """Time, level, logger, message, and whatever else the record was given."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD | _NOISE}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(level: str) -> None:
    """Sends all logs to stderr. kopf's own are heard from WARNING on, unless everything is: it tells every event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kopf").setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    logging.getLogger("aiohttp").setLevel("WARNING")
    logging.getLogger("asyncio").setLevel("WARNING")
