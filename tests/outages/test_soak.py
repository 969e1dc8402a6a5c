"""Many jobs, changed at random while faults strike at random, on a real API server: make fault-soak SECONDS=3600.

SLUICE_SOAK_SECONDS is the length, and SLUICE_SOAK_JOBS the number of jobs. SLUICE_FAULT_SEED chooses what happens.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from sluice_contract import conditions as c
from sluice_devcluster.api import ApiError
from sluice_runtime.aio.waiting import cancel_and_wait
from support.deadlines import assert_takes_at_most
from support.fault_plans import BREAKS, HOLD, KILLS, Address, Plan
from support.fault_proxy import OUTAGES
from support.fault_workloads import Scene
from support.fault_worlds import World

SECONDS = float(os.environ.get("SLUICE_SOAK_SECONDS", "30"))
JOBS = int(os.environ.get("SLUICE_SOAK_JOBS", "20"))
CHANGE_SECONDS = 0.5  # between two changes on average
FAULT_SECONDS = 5.0  # between two faults on average
LONGEST_OUTAGE_SECONDS = 20.0
CONVERGED_SECONDS = 120.0
RESOURCES: Final = ("pods", "ingestjobs", "ingestjobs/status", "events", "leases")
VERBS: Final = ("POST", "PATCH", "DELETE", "GET", "WATCH")

Change = Callable[[Scene, random.Random], Awaitable[None]]


async def change_hot(scene: Scene, chance: random.Random) -> None:
    """Change the symbols."""
    await scene.patch(symbols=chance.sample(["SPY", "AAPL", "MSFT", "QQQ"], 2))


async def change_cold(scene: Scene, chance: random.Random) -> None:
    """Change a field that needs a new pod."""
    await scene.patch(synthetic={"seed": chance.randrange(1000)})


async def stop_or_resume(scene: Scene, chance: random.Random) -> None:
    """Stop the job or let it stream."""
    await scene.patch(enabled=chance.random() < 0.7)


async def delete_pod(scene: Scene, _: random.Random) -> None:
    """Delete the pod."""
    await scene.delete_pod()


async def create_again(scene: Scene, _: random.Random) -> None:
    """Delete the job and create it again under the same name."""
    await scene.delete()
    await scene.create()


CHANGES: Final[tuple[Change, ...]] = (change_hot, change_cold, stop_or_resume, delete_pod, create_again)


async def change_jobs(scenes: list[Scene], chance: random.Random, done: Counter[str]) -> None:
    """Change jobs until cancelled. What the state of a job does not allow is left out."""
    while True:
        await asyncio.sleep(chance.expovariate(1 / CHANGE_SECONDS))
        change, scene = chance.choice(CHANGES), chance.choice(scenes)
        with suppress(ApiError):
            await change(scene, chance)
            done[change.__name__] += 1


async def strike(world: World, chance: random.Random, done: Counter[str]) -> None:
    """Let faults strike until cancelled."""
    while True:
        await asyncio.sleep(chance.expovariate(1 / FAULT_SECONDS))
        fault = chance.choice((*KILLS, HOLD, *BREAKS, "kill", *OUTAGES))
        if fault == "kill":
            world.operator.kill()
        elif fault in OUTAGES:
            world.proxy.begin_outage(fault)
            try:
                await asyncio.sleep(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
            finally:
                world.proxy.end_outage()
        else:
            address = Address(chance.choice(VERBS), chance.choice(RESOURCES), chance.randint(1, 5))
            world.proxy.arm(Plan("soak", fault, address))
        done[fault] += 1


def has_converged(scene: Scene) -> bool:
    """Return whether the job is as its spec says."""
    is_enabled = scene.job.get("spec", {}).get("enabled", True)
    return scene.streams() if is_enabled else scene.has_settled(c.PAUSED_REASON)


async def test_jobs_keep_their_invariants_while_faults_strike_at_random(world: World, chance: random.Random) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    changes, faults, began = Counter[str](), Counter[str](), time.monotonic()
    tasks = [
        asyncio.create_task(change_jobs(scenes, chance, changes)),
        asyncio.create_task(strike(world, chance, faults)),
    ]
    await asyncio.sleep(SECONDS)
    assert [task for task in tasks if task.done()] == []
    await cancel_and_wait(*tasks)
    world.proxy.disarm()
    with assert_takes_at_most(CONVERGED_SECONDS):
        for scene in scenes:
            await scene.until(partial(has_converged, scene), CONVERGED_SECONDS)
    print(f"{JOBS} jobs, {time.monotonic() - began:.0f} s: {dict(changes)}, {dict(faults)}")  # noqa: T201
    assert world.take_violations(scenes) == []
    assert all(code == 1 for code in world.operator.exits), world.operator.exits
