import pytest

from sluice_cli.commands.arguments import argument_parser, command_options, connection_options
from sluice_cli.commands.command_table import COMMANDS


def test_the_first_help_has_each_listed_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        argument_parser().parse_args(["--help"])
    shown = capsys.readouterr().out
    assert all((command.help in shown) == command.is_listed for command in COMMANDS.values())
    assert "Exit codes: 0 done; 1 goal not reached, or refused; 2 usage; 3 no API server, or no permission." in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_help_and_the_options_of_kubectl(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        argument_parser([name]).parse_args([name, "--help"])
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: kubectl sluice {name}")
    assert all(each in shown for each in ("--context", "--kubeconfig", "--as", "--request-timeout", "--color"))


def test_the_options_of_the_cluster_are_passed_on() -> None:
    words = ["status", "--context", "prod", "--as=bob", "--as-group", "a", "--as-group", "b", "--request-timeout=5s"]
    options = argument_parser(words).parse_args(words)
    assert connection_options(options) == [
        "--context=prod", "--as=bob", "--as-group=a", "--as-group=b", "--request-timeout=5s",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [[], ["purge"], ["status", "-o", "xml"], ["pause", "x", "--timeout", "soon"]])
def test_a_mistake_has_the_exit_code_of_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        argument_parser(words).parse_args(words)
    assert caught.value.code == 2
    assert "usage: kubectl sluice" in capsys.readouterr().err


def test_a_timeout_is_a_duration() -> None:
    words = ["pause", "x", "--timeout", "2m"]
    assert argument_parser(words).parse_args(words).timeout == 120
    words[-1] = "0"
    assert argument_parser(words).parse_args(words).timeout == 0
    assert argument_parser(words).parse_args(words[:2]).timeout == 30


def test_the_completion_knows_each_option() -> None:
    found = command_options()
    assert {"--for", "--until", "--reason", "--fleet", "-n", "--context", "--help"} <= set(found["pause"])
    assert "--fleet" not in found["status"]
