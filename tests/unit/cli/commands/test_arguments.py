import pytest

from sluice_cli.commands.arguments import UNLISTED, argument_parser, command_options, connection_options
from sluice_cli.commands.command_table import COMMANDS


def test_the_first_help_lists_the_commands_and_names_the_others_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        argument_parser().parse_args(["--help"])
    shown = capsys.readouterr().out
    assert [name for name, command in COMMANDS.items() if command.help in shown] == [
        name for name in COMMANDS if name not in UNLISTED
    ]
    also = ", ".join(name for name in UNLISTED if name in COMMANDS)
    assert f"Also: {also}. Help of a command: kubectl sluice COMMAND --help." in " ".join(shown.split())
    codes = "Exit codes: 0 done; 1 goal not reached, or refused; 2 usage; 3 no API server, or no permission."
    assert codes in " ".join(shown.split())


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
