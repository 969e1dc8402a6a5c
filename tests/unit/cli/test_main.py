"""The exit codes of the whole plugin, with a program in the place of kubectl."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from sluice_cli.__main__ import main


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `kubectl`, the first one on PATH, which has to be written."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LANG", "C.UTF-8")
    return tmp_path / "kubectl"


def answer(kubectl: Path, body: str) -> None:
    kubectl.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    kubectl.chmod(0o755)


def test_a_command_that_succeeds_returns_0(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(kubectl, "print('{\"items\": []}')")
    assert main(["status", "-A"]) == 0
    assert capsys.readouterr().out.startswith("No job.")


@pytest.mark.parametrize(
    ("words", "error", "code"),
    [
        (["status"], "Error from server (Forbidden): you may not", 3),
        (["status"], "The connection to the server h:1 was refused", 3),
        (["resume", "us"], "Error from server (BadRequest): this is not accepted", 1),
        (["pause", "us"], "", 2),
        (["status", "a/b", "-n", "c"], "", 2),
    ],
)
def test_a_failure_has_its_exit_code_and_a_sentence(
    kubectl: Path, capsys: pytest.CaptureFixture[str], words: list[str], error: str, code: int
) -> None:
    answer(kubectl, f"sys.exit({error!r})")
    assert main(words) == code
    assert len(capsys.readouterr().err) > 10


def test_an_interrupt_has_the_exit_code_of_a_shell(kubectl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    answer(kubectl, "print('{}')")
    monkeypatch.setattr("sluice_cli.commands.version.run_version", interrupt)
    assert main(["version"]) == 130


def process(*words: str, output: IO[bytes] | int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    """Run the plugin as a process of its own."""
    command = [sys.executable, "-m", "sluice_cli", *words]
    return subprocess.run(command, stdout=output, stderr=subprocess.PIPE, check=False)


def test_a_process_ends_after_its_whole_output(kubectl: Path) -> None:
    jobs = {"items": [{"metadata": {"namespace": "acme", "name": f"job-{number}"}} for number in range(2000)]}
    answer(kubectl, f"print({json.dumps(jobs)!r})")
    done = process("status", "-A")
    assert done.returncode == 0, done.stderr
    assert b"job-1999" in done.stdout


def test_a_process_that_cannot_write_its_output_says_so(kubectl: Path) -> None:
    answer(kubectl, "print('{\"items\": []}')")
    with Path("/dev/full").open("wb") as full:
        done = process("status", "-A", output=full)
    assert done.returncode == 1
    assert done.stderr.decode() == "The output is incomplete: No space left on device. Write it to another place.\n"


def test_completions_are_lines(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(kubectl, "print('ingestjob.sluice.dev/us-equities')")
    assert main(["__complete", "status", ""]) == 0
    assert capsys.readouterr().out.splitlines() == ["us-equities", ":4"]
