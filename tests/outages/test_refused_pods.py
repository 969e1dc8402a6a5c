"""Quotas and webhooks that refuse the pod of a job, on a real API server."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from sluice_contract import identity
from support.eventually import eventually
from support.fault_plans import WATCH, Plan
from support.fault_workloads import Scene
from support.fault_worlds import World

REFUSED_SECONDS = 60.0
MOST_CREATIONS = 10  # in the minute in which each is refused
ALLOWED_SECONDS = 90.0  # until the pod runs after that: the backoff is at most a minute
QUOTA = "no-pods-at-all"


async def count_requests(world: World, scene: Scene) -> Counter[str]:
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
    await world.api.post(path, {"metadata": {"name": QUOTA}, "spec": {"hard": {"pods": "0"}}})
    await asyncio.sleep(2)  # until the API server enforces it
    scene = world.new_scene()
    assert_few(await count_requests(world, scene))
    assert QUOTA in scene.summary()
    await world.api.delete(f"{path}/{QUOTA}", {})
    await eventually(scene.streams, ALLOWED_SECONDS)
    assert world.take_violations([scene]) == []


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
        assert_few(await count_requests(world, scene))
        assert created["metadata"]["name"] in scene.summary()
    finally:
        await world.api.delete(f"{path}/{created['metadata']['name']}", {})
    await eventually(scene.streams, ALLOWED_SECONDS)
    assert world.take_violations([scene]) == []
