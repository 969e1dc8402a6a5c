"""A pod that has lost its owner: it is ended, and created again if its job exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract import identity

from .world import KEY, SYNTHETIC, World, condition, live

POD = ("acme", "us-equities-ingest")


async def orphaned(world: World) -> str:
    """Let a pod stream, delete its job with --cascade=orphan while no operator runs. Return the UID of the pod."""
    await live(world)
    world.watching = False
    world.cluster.remove(KEY)
    pod = world.cluster.pods[POD]
    del pod["metadata"]["ownerReferences"]
    world.cluster.change("pods", pod)
    world.watching = True
    return world.pod.metadata.uid


async def test_an_orphaned_pod_is_ended_while_its_job_does_not_exist(world: World) -> None:
    await orphaned(world)
    world.start()
    await world.settle()
    assert world.pod.metadata.deletion_timestamp is not None


async def test_an_orphaned_pod_is_ended_and_created_again_for_a_new_job_of_its_name(world: World) -> None:
    uid = await orphaned(world)
    world.cluster.declare(KEY, SYNTHETIC, uid="job-2")
    world.start()
    await world.settle()
    assert (world.ready, world.pod.metadata.uid) == (("False", c.POD_REPLACING), uid)
    world.cluster.finish(KEY)
    await world.settle()
    assert world.pod.metadata.owner_references[0].uid == "job-2"
    assert condition(world.job.status, c.STALLED) == ("", "")


async def test_a_pod_of_a_living_job_that_loses_its_owner_is_replaced(world: World) -> None:
    await live(world)
    pod = world.cluster.pods[POD]
    pod["metadata"]["ownerReferences"] = []
    world.cluster.change("pods", pod)
    await world.settle()
    world.cluster.finish(KEY)
    await world.settle()
    assert world.pod.metadata.owner_references[0].uid == "job-1"


async def test_a_pause_is_pending_until_the_orphaned_pod_has_ended(world: World) -> None:
    await orphaned(world)
    world.cluster.declare(KEY, SYNTHETIC | {"enabled": False}, uid="job-2")
    world.start()
    await world.settle()
    assert world.ready == ("False", c.PAUSING)
    world.cluster.finish(KEY)
    await world.settle()
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


@pytest.mark.parametrize(
    "change",
    [
        lambda pod: pod["metadata"]["labels"].pop(identity.JOB_LABEL),
        lambda pod: pod["metadata"]["labels"].update({identity.JOB_LABEL: "another"}),
        lambda pod: pod["metadata"]["annotations"].pop(identity.EPOCH_ANNOTATION),
        lambda pod: pod["metadata"]["annotations"].pop(identity.COLD_HASH_ANNOTATION),
        lambda pod: pod["spec"].update(serviceAccountName="default"),
        lambda pod: pod["metadata"].update(
            ownerReferences=[{"kind": "ReplicaSet", "name": "r", "uid": "r", "controller": True}]
        ),
    ],
)
async def test_a_pod_that_only_resembles_ours_is_not_touched(
    world: World, change: Callable[[dict[str, Any]], object]
) -> None:
    await orphaned(world)
    change(world.cluster.pods[POD])
    world.start()
    await world.settle()
    assert world.pod.metadata.deletion_timestamp is None
    world.cluster.declare(KEY, SYNTHETIC, uid="job-2")
    await world.settle()
    assert condition(world.job.status, c.STALLED) == ("True", c.NAME_CONFLICT)
    assert world.pod.metadata.deletion_timestamp is None
