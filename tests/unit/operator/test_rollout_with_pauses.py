"""Rollouts while pause objects cover jobs, whose replaced pods then get no successor."""

from __future__ import annotations

import pytest

from sluice_contract import conditions as c
from sluice_operator.rollout_metrics import RolloutCounts

from .fleet import NEW, Fleet
from .pause_fakes import REASON
from .test_pause_enforcement import acknowledged

PAUSED = [("acme", f"job-{number}") for number in range(6)]
PAUSE = ("acme", "us")


@pytest.fixture
async def fleet() -> Fleet:
    """Twenty jobs that stream, six of which have confirmed a pause object. Four may be interrupted at a time."""
    fleet = await Fleet().with_jobs(20)
    fleet.pauses.declare(PAUSE, {"jobs": [name for _, name in PAUSED], "reason": REASON})
    for key in PAUSED:
        fleet.reports[key] = acknowledged("pause:us")
        fleet.report(key)
    await fleet.settle()
    return fleet


async def test_jobs_without_pods_because_of_a_pause_take_no_place_of_others(fleet: Fleet) -> None:
    await fleet.restarted(NEW)
    for _ in range(10):
        await fleet.run_pods()
    assert len(fleet.with_image(NEW)) == 14
    assert {fleet.ready_of(key) for key in PAUSED} == {("True", c.PAUSED_REASON)}
    await fleet.elapse(400)
    assert [key for key in fleet.keys if fleet.job_of(key).status.replacement or fleet.pending(key)] == []
    assert fleet.reconciler.rollout.counts_by_cause()["Operator"] == RolloutCounts()


async def test_the_end_of_the_pause_creates_the_new_pods_at_once(fleet: Fleet) -> None:
    await fleet.restarted(NEW)
    for _ in range(10):
        await fleet.run_pods()
    fleet.reports.clear()
    fleet.pauses.remove(PAUSE)
    await fleet.settle()
    assert len(fleet.with_image(NEW)) == 20
