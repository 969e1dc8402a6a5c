from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from sluice_cli.model.log_line import LogLine, parse_log_line
from sluice_cli.text.instants import UTC

LINE: dict[str, Any] = {
    "ts": "2026-03-02T15:00:00.250000Z",
    "severity": "INFO",
    "level": "info",
    "logger": "sluice_runtime.state.stream_state",
    "event_type": "stream",
    "message": "stream is Live",
    "job": "acme/us",
    "tenant": "acme",
    "epoch": 7,
    "state": "Live",
    "was": "Connecting",
}


def parsed(**fields: Any) -> LogLine:
    found = parse_log_line(json.dumps({**LINE, **fields}))
    assert found is not None
    return found


def test_a_line_has_what_the_event_adds() -> None:
    moment = datetime(2026, 3, 2, 15, 0, 0, 250000, tzinfo=UTC)
    fields = (("state", "Live"), ("was", "Connecting"))
    assert parsed() == LogLine(moment, "info", "stream", "stream is Live", fields, ())


def test_values_are_one_word_or_quoted() -> None:
    found = dict(parsed(error="it broke", empty="", count=3, files=[{"a": 1}], at=None).fields)
    assert (found["error"], found["empty"], found["count"]) == ('"it broke"', '""', "3")
    assert (found["files"], found["at"]) == ('[{"a":1}]', "null")


def test_a_traceback_has_its_lines() -> None:
    assert parsed(exception="Traceback:\n  File x\nValueError").details == ("Traceback:", "  File x", "ValueError")


def test_control_characters_are_removed() -> None:
    found = parsed(message="a\x1b[31mb", exception="x\x07y", **{"k\x1b": "v\x1b"})
    assert "\x1b" not in found.message + "".join(found.details) + str(found.fields)
    assert "\x07" not in found.details[0]


@pytest.mark.parametrize(
    "line", ["", "hello", "{", "[]", "{}", '{"level": "loud", "message": "x"}', '{"level": "info", "message": 5}']
)
def test_another_line_is_none_of_sluice(line: str) -> None:
    assert parse_log_line(line) is None


def test_the_levels_have_an_order() -> None:
    assert parsed(level="error").is_at_least("warning")
    assert parsed(level="warning").is_at_least("warning")
    assert not parsed(level="debug").is_at_least("info")
