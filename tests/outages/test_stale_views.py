"""Watches that end with HTTP 410 again and again, and an API server that lags behind, on a real API server."""

from __future__ import annotations

import asyncio
import random

from support.fault_plans import LIST, Plan
from support.fault_worlds import World

JOBS = 4
EXPIRED_SECONDS = 30.0
MOST_LISTS = 2 * EXPIRED_SECONDS  # of one resource: the delay between two is a second
STALE_SECONDS = 10.0


async def test_watches_that_expire_at_once_cause_no_storm_of_lists_and_the_jobs_follow_their_specs(
    world: World, chance: random.Random
) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    replaced, deleted = chance.sample(scenes, 2)
    added = world.new_scene()
    world.proxy.arm(Plan("expired"))
    world.proxy.ends_watches = True
    world.proxy.break_watches()
    await replaced.patch(synthetic={"seed": 7})
    await deleted.delete()
    await added.create()
    await replaced.until(replaced.streams_with_new_pod)
    await added.until(added.streams)
    await deleted.until(lambda: not deleted.job and not deleted.pod)
    await asyncio.sleep(EXPIRED_SECONDS)
    lists = [each.number for each in world.proxy.trace if each.verb == LIST]
    assert lists
    assert max(lists) <= MOST_LISTS + 60  # the changes may take 60 s
    world.proxy.ends_watches = False
    unchanged = [scene for scene in scenes if scene not in (replaced, deleted)]
    await replaced.patch(synthetic={"seed": 8})
    await replaced.until(replaced.streams)
    assert all(scene.streams() and scene.pod_uid == scene.pod_uid_before for scene in unchanged)
    assert world.take_violations([*scenes, added]) == []


async def test_an_operator_that_starts_on_an_api_server_that_lags_behind_touches_no_pod(world: World) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    replaced, deleted, created_again, pod_deleted = scenes
    world.operator.kill()
    await asyncio.sleep(STALE_SECONDS)  # the new process has listed the objects
    world.proxy.stale_lists.begin()
    await replaced.patch(synthetic={"seed": 7})
    await deleted.delete()
    await created_again.delete()
    await created_again.create(symbols=["MSFT"])
    await pod_deleted.delete_pod()
    added = world.new_scene()
    await added.create()
    left = [replaced, created_again, pod_deleted, added]
    for scene in left:
        await scene.until(scene.streams_with_new_pod)
    await deleted.until(lambda: not deleted.job and not deleted.pod)
    pods = [scene.pod_uid for scene in left]
    world.operator.kill()
    await asyncio.sleep(STALE_SECONDS)
    assert [scene.pod_uid for scene in left] == pods
    world.proxy.stale_lists.end()
    await replaced.patch(symbols=["SPY"])
    for scene in left:
        await scene.until(scene.streams)
    assert [scene.pod_uid for scene in left] == pods
    assert deleted.pod == {}
    assert world.take_violations([*scenes, added]) == []
