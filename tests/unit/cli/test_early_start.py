"""Which command lines start kubectl at once, and that these processes read what the commands read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sluice_cli import early_start
from sluice_cli.commands.arguments import argument_parser, connection_options
from sluice_cli.commands.cluster_requests import start_status_requests
from sluice_cli.early_start import start_early
from support.fake_kubectl import FakeKubectl


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program `kubectl` that prints its arguments."""
    program = tmp_path / "kubectl"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(' '.join(sys.argv[1:]))\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize(
    "line",
    [
        "-A",
        "--all-namespaces --check",
        "-n acme",
        "--namespace acme --stale",
        "-n one -n two",
        "-A -n acme",
        "--context=a --kubeconfig=b --as=c --request-timeout=5s -A",
    ],
)
def test_an_early_process_reads_what_the_command_line_asks_for(line: str) -> None:
    words = ["status", *line.split()]
    found = start_early(words)
    assert found is not None
    options = argument_parser(words).parse_args(words)
    assert found.connection == connection_options(options)
    usual = FakeKubectl()
    start_status_requests(options, usual)
    expected = [" ".join([*found.connection, *each]) + "\n" for each in usual.commands]
    assert [found.jobs.result()[1], found.lease.result()[1]] == expected


@pytest.mark.parametrize(
    "line",
    ["", "status", "status us -A", "status -A -w", "status -A -o json", "status -A --paused", "status -n", "pause -A",
     "status -n ../secrets", "status -A --context a", "version -A"],
)  # fmt: skip
def test_other_command_lines_start_nothing(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_start, "EarlyProcesses", None)  # a call of it fails
    assert start_early(line.split()) is None


def test_without_kubectl_nothing_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start_early(["status", "-A"]) is None


@pytest.mark.usefixtures("kubectl")
def test_the_processes_are_discarded() -> None:
    found = start_early(["status", "-A"])
    assert found is not None
    found.discard()
    found.discard()
