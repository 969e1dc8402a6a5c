"""A node that is cut off, pods that a person deletes by force, and an etcd without space, on a real API server."""

from __future__ import annotations

import asyncio
import random

import pytest

from sluice_contract import identity
from sluice_devcluster.api import ApiError
from sluice_devcluster.layout import StateDirectory
from support.fault_machines import etcd_without_space, node_cut_off
from support.fault_plans import Plan
from support.fault_worlds import World

JOBS = 4
CUT_OFF_SECONDS = 60.0  # after 50 s, the node counts as lost
FULL_SECONDS = 60.0
CONVERGED_SECONDS = 60.0


async def test_a_pod_on_a_node_that_is_cut_off_is_replaced_only_once_its_node_has_ended_it(
    world: World, cluster: StateDirectory, chance: random.Random
) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    replaced = chance.choice(scenes)
    world.proxy.arm(Plan("cut-off"))
    world.pods_report = False
    with node_cut_off(cluster):
        await replaced.patch(synthetic={"seed": 7})
        await asyncio.sleep(CUT_OFF_SECONDS)
        assert [scene.pod_uid for scene in scenes] == [scene.pod_uid_before for scene in scenes]
        terminating = [scene for scene in scenes if "deletionTimestamp" in scene.pod["metadata"]]
        assert terminating == [replaced]
        assert [each for each in world.proxy.trace if each.verb == "POST" and each.resource == "pods"] == []
    world.pods_report = True
    await replaced.until(replaced.streams_with_new_pod, CONVERGED_SECONDS)
    for scene in scenes:
        await scene.until(scene.streams, CONVERGED_SECONDS)
    await replaced.until(lambda: replaced.count_starts() == 2)
    assert [scene.count_starts() for scene in scenes] == [1 + (scene is replaced) for scene in scenes]
    assert world.take_violations(scenes) == []


@pytest.mark.parametrize("is_cut_off", [False, True])
async def test_after_a_deletion_by_force_one_pod_with_a_higher_epoch_follows(
    world: World, cluster: StateDirectory, is_cut_off: bool
) -> None:
    [scene] = await world.create_streaming_jobs(1)
    epoch_before = scene.pod["metadata"]["annotations"][identity.EPOCH_ANNOTATION]
    world.proxy.arm(Plan("forced"))
    if is_cut_off:
        with node_cut_off(cluster):
            await scene.delete_pod(gracePeriodSeconds=0)
            await scene.until(lambda: scene.pod and scene.pod_uid != scene.pod_uid_before)
    else:
        await scene.delete_pod(gracePeriodSeconds=0)
    await scene.until(scene.streams_with_new_pod, CONVERGED_SECONDS)
    assert int(scene.pod["metadata"]["annotations"][identity.EPOCH_ANNOTATION]) > int(epoch_before)
    assert [each.number for each in world.proxy.trace if each.verb == "POST" and each.resource == "pods"] == [1]
    # The API server forgets the pod before its container has ended. The epoch keeps that container from writing.
    allowed = ("started while another one ran", "was forgotten before its container had ended")
    assert [each for each in world.take_violations([scene]) if not any(text in each for text in allowed)] == []


async def test_an_etcd_without_space_restarts_no_pod_and_the_jobs_follow_their_specs_afterwards(
    world: World, cluster: StateDirectory, chance: random.Random
) -> None:
    scenes = await world.create_streaming_jobs(JOBS)
    changed, deleted = chance.sample(scenes, 2)
    await changed.patch(symbols=["SPY", "MSFT"])
    world.operator.exits.clear()
    with etcd_without_space(cluster):
        with pytest.raises(ApiError, match="space exceeded"):
            await changed.patch(symbols=["SPY"])
        await asyncio.sleep(FULL_SECONDS)
        assert [scene.pod_uid for scene in scenes] == [scene.pod_uid_before for scene in scenes]
    await changed.patch(symbols=["SPY"])
    await deleted.delete()
    for scene in scenes:
        if scene is not deleted:
            await scene.until(scene.streams, CONVERGED_SECONDS)
    await deleted.until(lambda: not deleted.job and not deleted.pod)
    left = [scene for scene in scenes if scene is not deleted]
    assert [scene.pod_uid for scene in left] == [scene.pod_uid_before for scene in left]
    assert [scene.count_starts() for scene in left] == [1] * len(left)
    assert len(world.operator.exits) <= 1
    assert world.take_violations(scenes) == []
