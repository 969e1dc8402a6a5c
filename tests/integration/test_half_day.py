"""The end of the half day after Thanksgiving in one minute. `make week` plays the whole week."""

from __future__ import annotations

from pathlib import Path

from week.run import play_scenario
from week.scenarios import half_day


def test_three_faults_of_a_half_day_are_reported_and_nothing_else(tmp_path: Path) -> None:
    assert play_scenario(half_day(), 20.0, tmp_path) == []
