"""Leaders that are stopped, have a wrong clock, or are of another version, on a real API server."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from support.eventually import eventually
from support.fault_workloads import Scene
from support.fault_worlds import World
from support.supervised_operator import SupervisedOperator

JOBS = 4
TAKEOVER_SECONDS = 20.0
STANDBY_SECONDS = 5.0  # for which a second replica does nothing
ROLLOUT_SECONDS = 60.0
LEASE_SECONDS = 15.0
CLOCK_LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


async def wait_until_leading(world: World, replica: SupervisedOperator) -> None:
    """Wait until a replica holds the Lease."""

    async def leads() -> bool:
        return await world.lease_holder() == replica.name

    await eventually(leads, TAKEOVER_SECONDS)


def second_replica(world: World, **variables: str) -> SupervisedOperator:
    """Return another replica for the namespace, with these environment variables."""
    return SupervisedOperator(world.kubeconfig, world.log, world.name, 2, **variables)


async def test_a_leader_that_is_stopped_past_its_lease_does_no_harm_when_it_continues(
    world: World, chance: random.Random
) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    first, second = world.operator, second_replica(world)
    async with second.running():
        await asyncio.sleep(STANDBY_SECONDS)
        assert await world.lease_holder() == first.name
        changed = chance.choice(scenes)
        await changed.patch(synthetic={"seed": 7})
        await asyncio.sleep(chance.random() / 2)  # between the requests of the replacement
        first.send_signal(signal.SIGSTOP)
        try:
            await wait_until_leading(world, second)
            added = world.new_scene()
            await added.create()
            await added.until(added.streams)
            await changed.until(changed.streams)
        finally:
            first.send_signal(signal.SIGCONT)
        await eventually(lambda: first.exits == [1], TAKEOVER_SECONDS)
        await asyncio.sleep(3)
        assert await world.lease_holder() == second.name
        assert all(scene.streams() for scene in [*scenes, added])
        assert world.take_violations([*scenes, added]) == []
        assert second.exits == []


async def test_two_versions_replace_each_pod_once_at_each_change_of_the_leader(world: World) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    first, second = world.operator, second_replica(world, SLUICE_RUNTIME_IMAGE="sluice-runtime:next")

    def all_run(image: str) -> bool:
        return all(scene.streams() and scene.image == image for scene in scenes)

    async with second.running():
        await asyncio.sleep(STANDBY_SECONDS)
        assert [scene.count_starts() for scene in scenes] == [1] * JOBS
        first.send_signal(signal.SIGTERM)
        await wait_until_leading(world, second)
        await eventually(lambda: all_run("sluice-runtime:next"), ROLLOUT_SECONDS)
        await asyncio.sleep(STANDBY_SECONDS)  # the first version has restarted, and does nothing
        assert all_run("sluice-runtime:next")
        assert [scene.count_starts() for scene in scenes] == [2] * JOBS
        second.send_signal(signal.SIGTERM)
        await wait_until_leading(world, first)
        await eventually(lambda: all_run("sluice-runtime:test"), ROLLOUT_SECONDS)
        await asyncio.sleep(STANDBY_SECONDS)
        assert [scene.count_starts() for scene in scenes] == [3] * JOBS
    assert world.take_violations(scenes) == []


async def assert_job_follows_its_spec(world: World, scene: Scene) -> None:
    """Change a cold field, kill a container, and assert that the job streams after each."""
    await scene.patch(synthetic={"seed": 7})
    await scene.until(scene.streams_with_new_pod)
    starts = scene.count_starts()
    await scene.kill_container()
    await scene.until(lambda: scene.count_starts() > starts and scene.count_restarts() > 0 and scene.streams())


@pytest.mark.parametrize("offset", ["+600", "-600"])
async def test_a_leader_whose_clock_is_ten_minutes_off_keeps_the_jobs_and_the_order_of_epochs(
    world: World, offset: str
) -> None:
    clock = {"LD_PRELOAD": str(CLOCK_LIBRARY), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    scenes = await world.create_streaming_jobs(JOBS)
    first, second = world.operator, second_replica(world, **clock)
    async with second.running():
        await asyncio.sleep(LEASE_SECONDS + STANDBY_SECONDS)
        assert await world.lease_holder() == first.name  # the other clock does not make the Lease expire
        first.send_signal(signal.SIGTERM)
        await wait_until_leading(world, second)
        await assert_job_follows_its_spec(world, scenes[0])
        first.exits.clear()
        await asyncio.sleep(LEASE_SECONDS + STANDBY_SECONDS)
        assert await world.lease_holder() == second.name
        assert all(scene.streams() for scene in scenes)
        assert [scene.pod_uid for scene in scenes[1:]] == [scene.pod_uid_before for scene in scenes[1:]]
        second.send_signal(signal.SIGTERM)
        await wait_until_leading(world, first)
        await assert_job_follows_its_spec(world, scenes[1])
        assert [scene.count_starts() for scene in scenes[2:]] == [1] * len(scenes[2:])
    assert world.take_violations(scenes) == []


@pytest.mark.parametrize("offset", [600, -600])
async def test_a_pod_whose_clock_is_ten_minutes_off_streams(world: World, offset: int) -> None:
    world.pod_clock_offset_seconds = offset
    scenes = await world.create_streaming_jobs(JOBS)
    await asyncio.sleep(LEASE_SECONDS)
    assert all(scene.streams() for scene in scenes)
    assert [scene.count_starts() for scene in scenes] == [1] * JOBS
    assert world.take_violations(scenes) == []
