"""The log lines of both images: JSON objects on standard output; docs/log-line.schema.json describes them."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import TracebackType

import msgspec

DEFAULT_EVENT_TYPE = "log"
JOB_FIELDS = ("job", "tenant", "epoch")
# Attributes of every LogRecord, and the names that the formatter writes. All other attributes were given as `extra`.
_RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "taskName", "ts", "severity", "level", "logger", "event_type", "exception", "stack")
}
_PLAIN = (str, int, float, datetime, type(None))
_SEVERITIES = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
_log = logging.getLogger(__name__)


class LogLineFormatter(logging.Formatter):
    """A formatter that writes a record as JSON: the common fields, then those of the job, then those of `extra`."""

    def __init__(self, process_fields: Mapping[str, object] | None = None, ignored: Collection[str] = ()) -> None:
        """`process_fields` are added to every line. `ignored` are attributes of records that are left out."""
        super().__init__()
        self._process_fields = dict(process_fields or {})
        self._ignored = _RESERVED.union(ignored)

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON of one record, on one line and without a line break at the end."""
        severity = _severity_name(record.levelno)
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC),
            "severity": severity,
            "level": severity.lower(),
            "logger": record.name,
            "event_type": str(getattr(record, "event_type", DEFAULT_EVENT_TYPE)),
            "message": _formatted_message(record),
            **self._process_fields,
        }
        ignored = self._ignored
        extra = {name: _json_compatible_value(value) for name, value in vars(record).items() if name not in ignored}
        line |= {name: extra.pop(name) for name in JOB_FIELDS if name in extra}
        line |= extra
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return _encode_line(line)


def configure_logging(level: str, formatter: LogLineFormatter) -> None:
    """Send all logs to standard output as JSON lines, also Python warnings and uncaught exceptions of all threads."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a line that cannot be written has nowhere else to go
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught_exception
    threading.excepthook = _log_uncaught_exception_in_thread


def _severity_name(level: int) -> str:
    """Return the Google Cloud Logging severity of a Python log level; a level between two has the lower severity."""
    return _SEVERITIES[min(max(level // 10 * 10, 10), 50)]


def _formatted_message(record: logging.LogRecord) -> str:
    """Return the message of the record with its arguments, or the two side by side if the arguments do not fit."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError):  # arguments that do not fit their format, in a library
        return f"{record.msg} {record.args}"


def _json_compatible_value(value: object) -> object:
    """Return the value with JSON types only. Any other object becomes its `str`.

    msgspec would encode all fields of a struct, including secrets that its repr hides.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_json_compatible_value(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _json_compatible_value(each) for name, each in value.items()}
    return str(value)


def _encode_line(line: dict[str, object]) -> str:
    try:
        return msgspec.json.encode(line, enc_hook=str).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, for example from a file name that is not UTF-8
        return msgspec.json.encode(_with_escaped_surrogates(line), enc_hook=str).decode()


def _with_escaped_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_with_escaped_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_with_escaped_surrogates(name): _with_escaped_surrogates(each) for name, each in value.items()}
    return value


def _log_uncaught_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log an exception that ends the process. A KeyboardInterrupt is printed by Python as usual."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    _log.critical("the process exits: uncaught %s", kind.__name__, exc_info=(kind, error, traceback))


def _log_uncaught_exception_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if issubclass(uncaught.exc_type, SystemExit):  # a thread may end itself, as it may without this hook
        return
    error = uncaught.exc_value or uncaught.exc_type()
    name = uncaught.thread.name if uncaught.thread else "unknown"
    exc_info = (uncaught.exc_type, error, uncaught.exc_traceback)
    _log.error("thread %s ended: uncaught %s", name, uncaught.exc_type.__name__, exc_info=exc_info)
