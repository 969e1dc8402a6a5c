"""Pods and Leases whose owners are gone, and evictions, on a real API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_devcluster.kubectl import Kubectl
from support.operator_replicas import OPERATOR
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream

LOCAL_VOLUMES = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
GONE_SECONDS = 40.0


def leases(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the Leases of the namespace."""
    found: list[dict[str, Any]] = tenant.kubectl.get("leases", "-n", tenant.name)["items"]
    return found


def owner_names(lease: dict[str, Any]) -> list[str]:
    """Return the names of the owners of a Lease."""
    return sorted(owner["name"] for owner in lease["metadata"].get("ownerReferences", []))


@pytest.mark.parametrize("created_again", [False, True])
def test_a_pod_that_was_orphaned_without_an_operator_is_ended_and_created_again(
    created_again: bool, tenant: Tenant, kubectl: Kubectl
) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    kubectl("scale", *OPERATOR, "--replicas=0")
    try:
        kubectl("wait", "pod", "-n", "sluice-system", "--all", "--for=delete", "--timeout=60s")
        tenant.run("delete", "ij", "feed", "--cascade=orphan")
        [orphan] = tenant.pods()
        assert "ownerReferences" not in orphan["metadata"]
        eventually(lambda: tenant.heartbeat()["status"] == "stopped", GONE_SECONDS)
        if created_again:
            tenant.apply()
    finally:
        kubectl("scale", *OPERATOR, "--replicas=2")
        kubectl("rollout", "status", *OPERATOR, "--timeout=60s")
    eventually(lambda: orphan["metadata"]["uid"] not in [pod["metadata"]["uid"] for pod in tenant.pods()], GONE_SECONDS)
    if created_again:
        tenant.settled("Streaming", seconds=40)
        assert tenant.condition(c.STALLED) == ("", "")
    else:
        assert tenant.pods() == []


def test_a_slot_lease_is_deleted_with_the_last_job_that_uses_it(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply("first", **streaming_from(upstream))
    tenant.settled("Streaming", "first", seconds=40)
    second = {**streaming_from(upstream), "symbols": ["MSFT"], "heartbeat": {"document": "second"}}
    tenant.apply("second", **second)
    eventually(lambda: [owner_names(each) for each in leases(tenant)] == [["first", "second"]], 40)
    tenant.run("delete", "ij", "first")
    tenant.settled("Streaming", "second", seconds=40)
    assert upstream.record()["concurrent_max"] == 1
    assert len(leases(tenant)) == 1
    tenant.run("delete", "ij", "second")
    eventually(lambda: leases(tenant) == [], GONE_SECONDS)


def test_a_lease_of_an_earlier_version_is_deleted_with_its_job(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    tenant.settled("Streaming", seconds=40)
    [lease] = leases(tenant)
    tenant.run(
        "patch", "lease", lease["metadata"]["name"], "--type=merge", "-p", '{"metadata":{"ownerReferences":null}}'
    )
    eventually(lambda: [owner_names(each) for each in leases(tenant)] == [["feed"]], 45)
    tenant.run("delete", "ij", "feed")
    eventually(lambda: leases(tenant) == [], GONE_SECONDS)


def test_an_evicted_pod_is_created_again_and_drain_needs_no_force(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    [pod] = tenant.pods()
    assert pod["metadata"]["annotations"][LOCAL_VOLUMES] == "state"
    node = pod["spec"]["nodeName"]
    selector = f"--pod-selector=sluice.dev/tenant={tenant.name}"
    drained = kubectl("drain", node, "--delete-emptydir-data", selector, "--dry-run=server")
    assert f"evicting pod {tenant.name}/feed-ingest" in drained
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "feed-ingest"}}
    path = f"/api/v1/namespaces/{tenant.name}/pods/feed-ingest/eviction"
    kubectl("create", "--raw", path, "-f", "-", text=json.dumps(eviction))
    eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != pod["metadata"]["uid"], GONE_SECONDS)
    tenant.settled("Streaming", seconds=40)
