"""The log of a pod, with a real process in place of kubectl logs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.logs import run_logs
from sluice_cli.transport import Kubectl, NoAccessError
from support.fake_kubectl import Console

LOG = [
    json.dumps({"ts": "2026-03-02T15:00:00Z", "level": "info", "event_type": "stream", "message": "stream is Live"}),
    json.dumps({"ts": "2026-03-02T15:00:01Z", "level": "error", "event_type": "log", "message": "it broke"}),
    "Fatal Python error: \x1b[31mred",
]


def run(words: str, folder: Path, output: str, errors: str = "", status: int = 0) -> tuple[int, Console]:
    program = folder / "kubectl"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"open({str(folder / 'arguments')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        f"print({output!r}, flush=True)\nprint({errors!r}, file=sys.stderr)\nsys.exit({status})\n"
    )
    program.chmod(0o755)
    console = Console(Kubectl(program=str(program)))
    options = argument_parser(["logs"]).parse_args(["logs", *words.split()])
    return run_logs(options, console.context), console


def test_json_lines_are_for_people_and_other_lines_pass(tmp_path: Path) -> None:
    code, console = run("us -n acme -f --since 10m --tail 5 -p", tmp_path, "\n".join(LOG))
    assert (code, console.errors) == (0, "")
    assert console.lines == [
        "15:00:00.000Z INFO     stream          stream is Live",
        "15:00:01.000Z ERROR    log             it broke",
        "Fatal Python error: ?[31mred",
    ]
    arguments = (tmp_path / "arguments").read_text()
    assert arguments == "logs us-ingest -n acme --container=ingest --follow --previous --tail=5 --since=600s"


def test_the_level_selects_lines_and_json_keeps_them_as_they_are(tmp_path: Path) -> None:
    _, console = run("acme/us --level error -o json", tmp_path, "\n".join(LOG[:2]))
    assert console.lines == [LOG[1]]
    assert (tmp_path / "arguments").read_text() == "logs us-ingest -n acme --container=ingest"


def test_a_job_without_a_pod_has_no_log(tmp_path: Path) -> None:
    errors = 'error: error from server (NotFound): pods "us-ingest" not found in namespace "acme"'
    code, console = run("us -n acme", tmp_path, "", errors, 1)
    assert code == 1
    assert console.errors.splitlines() == [
        "Pod us-ingest does not exist: job us does not exist, or it has no pod now.",
        "  → kubectl sluice status us -n acme",
    ]


def test_the_permission_is_needed(tmp_path: Path) -> None:
    errors = 'Error from server (Forbidden): pods "us-ingest" is forbidden: User "alice" cannot get resource "pods/log"'
    with pytest.raises(NoAccessError):
        run("us", tmp_path, "", errors, 1)
