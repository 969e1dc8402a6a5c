"""The sentences of `make up` and `make status` where they cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice_devcluster import quickstart
from sluice_devcluster.layout import KindSettings, StateDirectory

MANIFESTS = Path(__file__).resolve().parents[3] / "manifests"


def run(command: str, state: Path, *options: str) -> int:
    return quickstart.main([command, "--state", str(state), "--manifests", str(MANIFESTS), *options])


@pytest.mark.parametrize("command", ["status", "check", "dashboard"])
def test_without_a_cluster_the_commands_say_how_to_start_one(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, tmp_path) == 1
    assert capsys.readouterr().err == "No cluster is up: start one with `make up`.\n"


def test_a_speed_that_is_not_a_number_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("up", tmp_path, "--tape", "tape.csv", "--speed", "fast") == 1
    assert "SPEED=fast is not a number: SPEED=60 replays" in capsys.readouterr().err


def test_a_cluster_whose_creation_was_interrupted_is_not_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StateDirectory(tmp_path).save_settings(KindSettings(cluster_name="sluice"))
    assert run("status", tmp_path) == 1
    assert "start one with `make up`" in capsys.readouterr().err
