"""How far this computer's clock is from the writer's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sluice_client import Heartbeat, SkewEstimator
from support.verdict_cases import SkewCase, skew_cases

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("case", skew_cases(), ids=lambda case: case.name)
def test_the_estimate_is_that_of_the_table_that_typescript_passes_too(case: SkewCase) -> None:
    estimator = SkewEstimator()
    for ts, arrived, is_first in case.heartbeats:
        heartbeat = Heartbeat(status="running", ts=START + timedelta(seconds=ts))
        estimator.observe(heartbeat, START + timedelta(seconds=arrived), is_first=is_first)
    assert estimator.skew() == pytest.approx(case.skew)


def test_the_first_heartbeat_of_all_is_the_first_of_a_listener() -> None:
    estimator = SkewEstimator()
    estimator.observe(Heartbeat(status="running", ts=START), START + timedelta(seconds=60))
    assert estimator.skew() == 0.0


def test_a_heartbeat_without_a_time_changes_nothing() -> None:
    estimator = SkewEstimator()
    for seconds in range(10):
        estimator.observe(Heartbeat(status="running", ts=None), START + timedelta(seconds=seconds))
    assert estimator.skew() == 0.0
