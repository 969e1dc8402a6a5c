from __future__ import annotations

from datetime import datetime

from sluice_cli.model.log_line import LogLine
from sluice_cli.text.instants import UTC
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.log_text import log_text

MOMENT = datetime(2026, 3, 2, 15, 0, 0, 250000, tzinfo=UTC)


def test_a_line_for_people() -> None:
    line = LogLine(MOMENT, "warning", "stream", "the connection broke", (("attempt", "3"),), ("Traceback", "  at x"))
    assert log_text(line, Terminal()) == [
        "15:00:00.250Z WARNING  stream          the connection broke  attempt=3",
        "    Traceback",
        "      at x",
    ]


def test_a_line_without_a_time_and_fields() -> None:
    line = LogLine(None, "info", "log", "hello", (), ())
    assert log_text(line, Terminal()) == ["-             INFO     log             hello"]


def test_the_level_has_a_color() -> None:
    line = LogLine(MOMENT, "error", "log", "x", (("a", "1"),), ())
    assert log_text(line, Terminal(has_colors=True)) == [
        "15:00:00.250Z \x1b[31mERROR   \x1b[0m log             x  \x1b[2ma=1\x1b[0m"
    ]
