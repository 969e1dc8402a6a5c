"""Feeds keep streaming while the operator is rolled out, deleted or killed."""

from __future__ import annotations

from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.exchange import AlpacaInCluster
from support.kind import KindCluster
from support.operator_replicas import OPERATOR, no_operator, replicas
from support.site import Tenant


def leader(kubectl: Kubectl) -> dict[str, Any]:
    """Return the pod of the operator that holds the Lease."""
    leases = kubectl.get("leases", "-n", "sluice-system")["items"]
    holders = " ".join(each["spec"].get("holderIdentity") or "" for each in leases)
    [found] = [pod for pod in replicas(kubectl) if pod["metadata"]["name"] in holders]
    return found


def untouched(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether two statuses are of the same process in the same pod."""
    return bool(
        before["epoch"] == after["epoch"]
        and before["stream"]["podUID"] == after["stream"]["podUID"]
        and before["stream"]["heartbeat"]["sessionID"] == after["stream"]["heartbeat"]["sessionID"]
    )


def test_reconciling_continues_after_the_leader_is_killed(
    tenant: Tenant, upstream: AlpacaInCluster, cluster: KindCluster
) -> None:
    tenant.apply(**upstream.spec)
    before = tenant.settled("Streaming", seconds=30)
    cluster.kill(leader(cluster.kubectl)["metadata"]["uid"])
    tenant.apply("second", symbols=["MSFT"], heartbeat={"document": "second", "intervalSeconds": 1})
    tenant.settled("Streaming", "second", seconds=60)
    assert untouched(before, tenant.settled("Streaming"))
    assert len(upstream.connections()) == 1


def test_reconciling_continues_after_the_leader_s_pod_is_deleted(
    tenant: Tenant, upstream: AlpacaInCluster, kubectl: Kubectl
) -> None:
    tenant.apply(**upstream.spec)
    before = tenant.settled("Streaming", seconds=30)
    kubectl("delete", "pod", "-n", "sluice-system", leader(kubectl)["metadata"]["name"], "--wait=false")
    tenant.patch(symbols=["SPY"])
    assert untouched(before, tenant.settled("Streaming", seconds=60))
    assert upstream.subscribed == {"SPY"}
    assert len(upstream.connections()) == 1


def test_a_rollout_of_the_operator_touches_no_ingest_pod(
    tenant: Tenant, upstream: AlpacaInCluster, kubectl: Kubectl
) -> None:
    tenant.apply(**upstream.spec)
    before = tenant.settled("Streaming", seconds=30)
    kubectl("rollout", "restart", *OPERATOR)
    kubectl("rollout", "status", *OPERATOR, "--timeout=90s")
    tenant.patch(symbols=["SPY"])
    assert untouched(before, tenant.settled("Streaming", seconds=60))
    assert len(upstream.connections()) == 1


def test_a_namespace_can_be_deleted_while_the_operator_is_down(
    tenant: Tenant, upstream: AlpacaInCluster, kubectl: Kubectl
) -> None:
    tenant.apply(**upstream.spec)
    tenant.settled("Streaming", seconds=30)
    with no_operator(kubectl):
        kubectl("delete", "namespace", tenant.name, "--timeout=60s")
        [connection] = upstream.connections()
        assert connection["side"] == "client"
        assert tenant.heartbeat()["status"] == "stopped"
    assert tenant.pods() == []
