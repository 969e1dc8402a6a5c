"""Check log lines against the published schema, and undo changes of a process's logging configuration."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs/log-line.schema.json").read_text())
FIRST_FIELDS = ["ts", "severity", "level", "logger", "event_type", "message"]

_TYPES: dict[str, type] = {"string": str, "integer": int, "object": dict}
_LOGGERS = ("kopf", "aiohttp", "aiohttp.access", "asyncio")


def problems(line: str) -> list[str]:
    """Return the differences of a line from the schema and from the order of its first fields; empty if it matches."""
    try:
        found = json.loads(line, parse_constant=_refused_constant)
    except ValueError as error:
        return [f"{line!r} is not JSON: {error}"]
    if not isinstance(found, dict):
        return [f"{line!r} is not an object"]
    missing = [f"{name} is missing in {line}" for name in SCHEMA["required"] if name not in found]
    wrong = [
        f"{name}: {text} in {line}"
        for name, schema in SCHEMA["properties"].items()
        if name in found and (text := _difference(found[name], schema))
    ]
    if not missing and found["severity"].lower() != found["level"]:
        wrong.append(f"severity and level differ in {line}")
    if list(found)[: len(FIRST_FIELDS)] != FIRST_FIELDS:
        wrong.append(f"another order of fields in {line}")
    return missing + wrong


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines that were printed to standard output, after checking each against the schema."""
    found = capsys.readouterr()
    assert found.err == ""
    lines = found.out.splitlines()
    assert [problem for line in lines for problem in problems(line)] == []
    return [json.loads(line) for line in lines]


def stdout_lines(container_log: str) -> list[str]:
    """Return the complete lines of standard output in a log file that a container runtime wrote.

    The file has lines of time, stream, P or F, and text. The text of a line with P continues in the next line of its
    stream.
    """
    lines, begun = [], ""
    for each in container_log.split("\n")[:-1]:
        _, stream, tag, text = each.split(" ", 3)
        if stream != "stdout":
            continue
        begun += text
        if tag != "P":
            lines.append(begun)
            begun = ""
    return lines


@contextmanager
def restored_logging() -> Iterator[logging.Logger]:
    """Yield the root logger; afterwards undo all changes of the logging configuration."""
    root = logging.getLogger()
    handlers, raising = root.handlers[:], logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    root_level, hooks = root.level, (sys.excepthook, threading.excepthook)
    try:
        yield root
    finally:
        logging.captureWarnings(False)
        logging.raiseExceptions = raising
        sys.excepthook, threading.excepthook = hooks
        root.handlers[:], root.level = handlers, root_level
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _difference(value: object, schema: dict[str, Any]) -> str:
    unknown = schema.keys() - {"description", "format", "type", "enum", "pattern", "minLength", "minimum"}
    assert not unknown, f"this check does not know {unknown}"
    if not isinstance(value, _TYPES[schema["type"]]) or isinstance(value, bool):
        return f"{value!r} is not of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is not one of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        return f"{value!r} does not match {schema['pattern']}"
    if "minLength" in schema and len(str(value)) < schema["minLength"]:
        return f"{value!r} is too short"
    if "minimum" in schema and int(str(value)) < schema["minimum"]:
        return f"{value!r} is too low"
    return ""


def _refused_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
