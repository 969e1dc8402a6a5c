"""Outages of the API server, stopped leaders, quotas and webhooks, on a real API server: make faults-all.

SLUICE_OUTAGE_SECONDS is the length of an outage, 120 by default.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sluice_contract import identity
from sluice_devcluster.layout import StateDirectory
from support.deadlines import assert_takes_at_most
from support.eventually import eventually
from support.fault_cluster import cluster, runtime
from support.fault_plans import WATCH, Plan
from support.fault_proxy import OUTAGES
from support.fault_workloads import Scene
from support.fault_worlds import World
from support.locked_runtime import LockedRuntime
from support.supervised_operator import SupervisedOperator

JOBS = 4
OUTAGE_SECONDS = float(os.environ.get("SLUICE_OUTAGE_SECONDS", "120"))
CONVERGED_SECONDS = 60.0
TAKEOVER_SECONDS = 20.0
REFUSED_SECONDS = 60.0
MOST_CREATIONS = 10  # in the minute in which each is refused
__all__ = ["cluster", "runtime"]

RANDOM = random.Random(os.environ.get("SLUICE_FAULT_SEED", "1"))


@pytest.fixture
async def world(
    cluster: StateDirectory, runtime: LockedRuntime, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """A world for one test. At the end, no invariant is violated."""
    name = f"world-{abs(hash(request.node.nodeid)) % 10**8}"
    async with World(cluster, runtime, tmp_path, name).running() as found:
        yield found


async def streaming_jobs(world: World) -> list[Scene]:
    """Create jobs, and wait until they stream."""
    scenes = [world.new_scene() for _ in range(JOBS)]
    for scene in scenes:
        await scene.create()
    for scene in scenes:
        await scene.until(scene.streams)
        scene.pod_uid_before = scene.pod_uid
    return scenes


def violations(world: World, scenes: list[Scene]) -> list[str]:
    """Return what the auditor has found about these jobs."""
    return [each for scene in scenes for each in world.auditor.take_violations(scene.name)]


@pytest.mark.parametrize("kind", OUTAGES)
async def test_an_outage_restarts_no_pod_and_ends_the_leader_at_most_once(world: World, kind: str) -> None:
    scenes = await streaming_jobs(world)
    world.operator.exits.clear()
    world.pods_report = False
    world.proxy.begin_outage(kind)
    changed = RANDOM.choice(scenes)
    await changed.patch(symbols=["SPY"])
    await asyncio.sleep(OUTAGE_SECONDS)
    world.proxy.end_outage()
    world.pods_report = True
    with assert_takes_at_most(CONVERGED_SECONDS):
        for scene in scenes:
            await scene.until(scene.streams)
    assert len(world.operator.exits) <= 1
    assert [scene.pod_uid for scene in scenes] == [scene.pod_uid_before for scene in scenes]
    assert [scene.count_starts() for scene in scenes] == [1] * JOBS
    assert violations(world, scenes) == []


async def holder(world: World) -> str:
    """Return the name of the replica that holds the Lease."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{world.name}/leases/sluice-operator"
    return str((await world.api.get(path))["spec"].get("holderIdentity", "")).rpartition("_")[0]


async def test_a_leader_that_is_stopped_past_its_lease_does_no_harm_when_it_continues(world: World) -> None:
    scenes = await streaming_jobs(world)
    first = world.operator
    second = SupervisedOperator(world.kubeconfig, world.log, world.name, number=2)
    async with second.running():
        await asyncio.sleep(5)
        assert await holder(world) == first.name
        changed = RANDOM.choice(scenes)
        await changed.patch(synthetic={"seed": 7})
        await asyncio.sleep(RANDOM.random() / 2)  # between the requests of the replacement
        first.send_signal(signal.SIGSTOP)
        try:

            async def second_leads() -> bool:
                return await holder(world) == second.name

            await eventually(second_leads, TAKEOVER_SECONDS)
            added = world.new_scene()
            await added.create()
            await added.until(added.streams)
            await changed.until(changed.streams)
        finally:
            first.send_signal(signal.SIGCONT)
        await eventually(lambda: first.exits == [1], TAKEOVER_SECONDS)
        await asyncio.sleep(3)
        assert await holder(world) == second.name
        assert all(scene.streams() for scene in [*scenes, added])
        assert violations(world, [*scenes, added]) == []
        assert second.exits == []


async def count_creations(world: World, scene: Scene) -> Counter[str]:
    """Create the job, and count the requests of a minute in which its pod is refused."""
    world.proxy.arm(Plan("refused"))
    await scene.create()
    await asyncio.sleep(REFUSED_SECONDS)
    world.proxy.disarm()
    return Counter(f"{each.verb} {each.resource}" for each in world.proxy.trace if each.verb != WATCH)


def assert_few(counts: Counter[str]) -> None:
    """Assert that the requests of a minute are no storm, and that the pod was tried."""
    assert 1 <= counts["POST pods"] <= MOST_CREATIONS, counts
    assert counts["PATCH ingestjobs/status"] <= 2 * MOST_CREATIONS, counts
    assert counts["GET pods"] <= 2 * MOST_CREATIONS, counts


async def test_a_pod_that_a_quota_refuses_is_created_once_the_quota_allows_it(world: World) -> None:
    path = f"/api/v1/namespaces/{world.name}/resourcequotas"
    await world.api.post(path, {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})
    await asyncio.sleep(2)
    scene = world.new_scene()
    assert_few(await count_creations(world, scene))
    assert "none" in scene.summary()
    await world.api.delete(f"{path}/none", {})
    with assert_takes_at_most(90):  # the backoff is at most a minute
        await eventually(scene.streams, 90)
    assert violations(world, [scene]) == []


def webhook(world: World) -> dict[str, Any]:
    """Return a webhook about the pods of a world, at a port where nothing listens."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    return {
        "metadata": {"name": f"down.{world.name}.example.com"},
        "webhooks": [
            {
                "name": f"down.{world.name}.example.com",
                "clientConfig": {"url": "https://127.0.0.1:9/deny"},
                "rules": [rule],
                "namespaceSelector": {"matchLabels": {identity.TENANT_LABEL: world.name}},
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 1,
            }
        ],
    }


async def test_a_webhook_that_is_down_causes_no_storm_and_is_named_in_the_status(world: World) -> None:
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    created = webhook(world)
    await world.api.post(path, created)
    try:
        await asyncio.sleep(2)  # until the API server calls it
        scene = world.new_scene()
        assert_few(await count_creations(world, scene))
        assert created["metadata"]["name"] in scene.summary()
    finally:
        await world.api.delete(f"{path}/{created['metadata']['name']}", {})
    with assert_takes_at_most(90):  # the backoff is at most a minute
        await eventually(scene.streams, 90)
    assert violations(world, [scene]) == []
