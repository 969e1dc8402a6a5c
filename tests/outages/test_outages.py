"""Outages of the API server: nothing restarts, and all jobs soon stream again.

SLUICE_OUTAGE_SECONDS is the length of an outage, 120 by default.
"""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from support.deadlines import assert_takes_at_most
from support.fault_proxy import OUTAGES
from support.fault_worlds import World

JOBS = 4
OUTAGE_SECONDS = float(os.environ.get("SLUICE_OUTAGE_SECONDS", "120"))
CONVERGED_SECONDS = 60.0


@pytest.mark.parametrize("kind", OUTAGES)
async def test_an_outage_restarts_no_pod_and_ends_the_leader_at_most_once(
    world: World, chance: random.Random, kind: str
) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    world.operator.exits.clear()
    world.pods_report = False
    world.proxy.begin_outage(kind)
    changed = chance.choice(scenes)
    await changed.patch(symbols=["SPY"])
    await asyncio.sleep(OUTAGE_SECONDS)
    world.proxy.end_outage()
    world.pods_report = True
    with assert_takes_at_most(CONVERGED_SECONDS):
        for scene in scenes:
            await scene.until(scene.streams, CONVERGED_SECONDS)
    assert len(world.operator.exits) <= 1
    assert [scene.pod_uid for scene in scenes] == [scene.pod_uid_before for scene in scenes]
    assert [scene.count_starts() for scene in scenes] == [1] * JOBS
    assert world.take_violations(scenes) == []
