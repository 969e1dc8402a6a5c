"""A watch, with a program in the place of kubectl that sends events and then ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.status import run_status
from sluice_cli.text.terminal import Terminal
from sluice_cli.transport import Kubectl
from support.fake_kubectl import Console, job, paused_job

# Writes the jobs for a list, and each of the events for the first watch; then a watch is forbidden.
PROGRAM = """
import json, os, sys
jobs, events, mark = {jobs!r}, {events!r}, {mark!r}
if "watch=true" in sys.argv[-1]:
    if os.path.exists(mark):
        sys.exit("Error from server (Forbidden): x is forbidden: cannot watch")
    open(mark, "w").close()
    for each in events:
        print(json.dumps(each), flush=True)
elif "lease" in sys.argv[-1]:
    sys.exit("Error from server (Forbidden): leases is forbidden")
else:
    print(json.dumps({{"items": jobs}}))
"""


class EndOfTestError(Exception):
    """Ends a watch, which ends only when it is interrupted."""


def watch(folder: Path, events: Sequence[object], terminal: Terminal | None = None) -> Console:
    """Watch until the API server forbids it, which is after the events."""
    path = folder / "kubectl"
    body = PROGRAM.format(jobs=[job()], events=events, mark=str(folder / "mark"))
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)
    console = Console(Kubectl(program=str(path)), terminal=terminal)

    def end(_: float) -> None:
        raise EndOfTestError

    console.context = console.context._replace(sleep=end)
    options = argument_parser(["status"]).parse_args(["status", "-A", "-w"])
    with pytest.raises(EndOfTestError):
        run_status(options, console.context)
    return console


def test_a_pipe_gets_a_line_for_each_change_of_state(tmp_path: Path) -> None:
    same = job(heartbeat={"at": "2026-11-27T13:59:59Z"})
    events = [
        {"type": "ADDED", "object": job()},
        {"type": "MODIFIED", "object": same},
        {"type": "MODIFIED", "object": paused_job("api")},
    ]
    first, paused, resumed = (line.split(maxsplit=3)[1:] for line in watch(tmp_path, events).lines)
    assert first == resumed == ["●", "acme/us-equities", "Running  2 live · 1 quiet"]
    assert paused == ["‖", "acme/us-equities", 'Paused 22m, no end  alice: "vendor incident"']


def test_a_deleted_job_is_said(tmp_path: Path) -> None:
    console = watch(tmp_path, [{"type": "DELETED", "object": job()}])
    assert [line.split(maxsplit=1)[1] for line in console.lines[1:2]] == ["- acme/us-equities deleted"]


def test_a_terminal_is_redrawn_from_its_first_line(tmp_path: Path) -> None:
    console = watch(tmp_path, [], Terminal(can_redraw=True))
    shown = "\n".join(console.lines)
    assert "\x1b[H" in shown
    assert "\x1b[J" in shown
    assert "acme/us-equities" in shown
