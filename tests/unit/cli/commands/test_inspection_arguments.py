from __future__ import annotations

from datetime import timedelta

import pytest

from sluice_cli.commands.arguments import argument_parser


def test_a_period_is_a_duration(capsys: pytest.CaptureFixture[str]) -> None:
    options = argument_parser(["history"]).parse_args(["history", "--since", "2h"])
    assert options.since == timedelta(hours=2)
    with pytest.raises(SystemExit):
        argument_parser(["history"]).parse_args(["history", "--since", "soon"])
    assert "soon is not a duration: write it like 30s, 10m or 2h" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["symbols", "restart", "logs", "open"])
def test_a_command_about_one_job_needs_its_name(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        argument_parser([command]).parse_args([command])
    assert "JOB" in capsys.readouterr().err
    assert argument_parser([command]).parse_args([command, "us", "-n", "acme"]).namespace == "acme"


def test_a_field_is_optional() -> None:
    assert argument_parser(["schema"]).parse_args(["schema"]).field == ""
