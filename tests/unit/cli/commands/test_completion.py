import argparse

import pytest

from sluice_cli.commands.arguments import command_options
from sluice_cli.commands.completion import SCRIPT, completions, run_completion
from support.fake_kubectl import Console, FakeKubectl, job


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["st"], ["status"]),
        (["status", "us"], ["us-equities"]),
        (["pause", "crypto", ""], ["us-equities"]),
        (["status", "-o", "j"], ["json"]),
        (["status", "--che"], ["--check"]),
        (["pause", "x", "--fo"], ["--for"]),
        (["version", ""], []),
        (["doctor", "us"], ["us-equities"]),
        (["report", "us"], ["us-equities"]),
        (["purge", "us"], ["us-equities"]),
        (["purge", "x", "--d"], ["--delete-job", "--dry-run"]),
        (["logs", "us"], ["us-equities"]),
        (["logs", "x", "--level", "er"], ["error"]),
        (["schema", "limits.w"], ["limits.writesPerDay", "limits.writesPerSecond"]),
        (["pause", "--color", ""], ["always", "auto", "never"]),
    ],
)
def test_the_next_word_is_completed(words: list[str], expected: list[str]) -> None:
    kubectl = FakeKubectl(job(), job("crypto"))
    assert completions(words, command_options(), kubectl) == [*expected, ":4"]


def test_the_shell_completes_the_file_of_a_report() -> None:
    assert completions(["report", "-o", "rep"], command_options(), FakeKubectl()) == [":0"]


@pytest.mark.parametrize("option", ["-f", "--filename"])
def test_a_file_is_completed_by_the_shell(option: str) -> None:
    assert completions(["plan", option, "jo"], command_options(), FakeKubectl()) == [":0"]


def test_the_options_for_the_cluster_are_kept() -> None:
    kubectl = FakeKubectl(job())
    completions(["status", "-n", "beta", "--context", "x", ""], command_options(), kubectl)
    assert kubectl.commands[0][-2:] == ("--namespace=beta", "--context=x")


def test_the_script_is_what_kubectl_calls() -> None:
    console = Console(FakeKubectl())
    assert run_completion(argparse.Namespace(), console.context) == 0
    assert "\n".join(console.lines) + "\n" == SCRIPT
    assert console.lines[-1] == 'exec kubectl sluice __complete "$@"'
