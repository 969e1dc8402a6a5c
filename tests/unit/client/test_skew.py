"""How far this computer's clock is from the writer's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from sluice_client import Heartbeat, SkewEstimator

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def estimate(delays: Iterable[float], epochs: Iterable[int] = (1,) * 100) -> float:
    """Return the estimate after heartbeats, 15 s apart, that arrived this late by this computer's clock."""
    estimator = SkewEstimator()
    for number, (delay, epoch) in enumerate(zip(delays, epochs, strict=False)):
        ts = START + timedelta(seconds=15 * number)
        estimator.observe(Heartbeat(status="running", ts=ts, epoch=epoch), ts + timedelta(seconds=delay))
    return estimator.skew()


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ([], 0.0),
        ([600.0], 0.0),
        ([600.0, 60.2, 60.1], 0.0),
        ([600.0, 60.2, 60.1, 60.9], 60.1),
        ([0.2, 0.3, 0.1, 70.0], 0.1),
        ([-60.0], -60.0),
        ([600.0, -60.0], -60.0),
        ([0.1] * 4 + [60.0] * 19, 0.1),
        ([0.1] * 4 + [60.0] * 20, 60.0),
        ([-60.0] + [0.1] * 20, 0.1),
    ],
    ids=[
        "nothing arrived",
        "an old document proves nothing",
        "two arrivals are not enough",
        "the smallest of three arrivals",
        "one late arrival changes nothing",
        "a document from the future proves a slow clock",
        "so does one early arrival",
        "the last 20 arrivals count",
        "what arrived before is forgotten",
        "so is a slow clock that has been corrected",
    ],
)
def test_the_estimate_is_the_smallest_delay(delays: list[float], expected: float) -> None:
    assert estimate(delays) == pytest.approx(expected)


def test_a_new_epoch_starts_again() -> None:
    assert estimate([60.0] * 5, [1, 1, 1, 1, 2]) == 0.0


def test_a_repeated_heartbeat_and_one_without_a_time_change_nothing() -> None:
    estimator = SkewEstimator()
    for seconds in range(10):
        estimator.observe(Heartbeat(status="running", ts=START), START + timedelta(seconds=60 + seconds))
        estimator.observe(Heartbeat(status="running", ts=None), START)
    assert estimator.skew() == 0.0
