"""That a command line runs its command, with the early processes where they fit, and its failures are exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from sluice_cli.commands.dispatch import run_command, write_completions
from sluice_cli.early_start import start_early

# Writes its arguments to a file, and has no job.
PROGRAM = """
import sys
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
print('{{"items": []}}')
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command lines of a program `kubectl`, the first one on PATH."""
    program, found = tmp_path / "kubectl", tmp_path / "log"
    program.write_text(f"#!{sys.executable}\n{PROGRAM.format(log=str(found))}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return found


def test_the_early_processes_are_used(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["status", "-A"]
    early = start_early(words)
    assert run_command(words, early) == 0
    assert capsys.readouterr().out.startswith("No job")
    assert len(log.read_text().splitlines()) == 2


def test_early_processes_of_other_words_are_not_used(log: Path) -> None:
    early = start_early(["status", "-n", "one"])
    assert early is not None
    assert run_command(["status", "-n", "two"], early) == 0
    early.discard()
    assert "namespaces/two" in log.read_text()


def test_a_command_without_early_processes_starts_its_own(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "-A", "-o", "json"], None) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "StatusList"
    assert "ingestpauses" in log.read_text()


def test_a_mistake_in_the_arguments_names_the_help(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "a/b", "-n", "c"], None) == 2
    assert "See kubectl sluice status --help" in capsys.readouterr().err


@pytest.mark.usefixtures("log")
def test_completions_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_completions(["sta"]) == 0
    assert "status" in capsys.readouterr().out
