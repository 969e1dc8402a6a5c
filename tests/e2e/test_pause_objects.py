"""Pauses and policies on a real kubelet, as users apply them with kubectl."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.exchange import AlpacaInCluster, streaming
from support.operator_replicas import no_operator
from support.pause_objects import apply_pause
from support.site import Tenant, eventually


def apply_policy(kubectl: Kubectl, name: str, **spec: Any) -> None:
    """Create or change an IngestPolicy."""
    document = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPolicy", "metadata": {"name": name}, "spec": spec}
    kubectl.apply([document])


def closed_after(upstream: AlpacaInCluster, began: float) -> float:
    """Wait until the provider has no open connection. Return the seconds from `began` to the last close."""
    last = eventually(lambda: each if (each := upstream.connections()[-1])["closed"] else None)
    return float(last["closed"] - began)


def test_a_job_is_paused_by_name_by_labels_and_for_one_symbol(tenant: Tenant, upstream: AlpacaInCluster) -> None:
    streaming(tenant, upstream)
    me = tenant.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    apply_pause(tenant.kubectl, "one-symbol", tenant.name, jobSelector={}, symbols=["AAPL"], reason="split")
    eventually(lambda: upstream.subscribed == {"SPY"})
    tenant.run("wait", "ipause/one-symbol", "--for=condition=Acknowledged", "--timeout=20s")
    tenant.run("delete", "ipause", "one-symbol")
    eventually(lambda: upstream.subscribed == {"SPY", "AAPL"})

    for name, selection in (("by-name", {"jobs": ["feed"]}), ("by-label", {"jobSelector": {}})):
        began = time.time()
        apply_pause(tenant.kubectl, name, tenant.name, **selection, reason="vendor incident", by=me)
        assert closed_after(upstream, began) < 5
        tenant.run("wait", f"ipause/{name}", "--for=condition=Acknowledged", "--timeout=20s")
        assert tenant.kubectl.get("ipause", name, "-n", tenant.name)["status"]["acknowledged"] == "1/1"
        pause = tenant.settled("Paused")["stream"]["pause"]
        assert (pause["source"], pause["by"]) == (f"pause:{name}", me)
        tenant.run("delete", "ipause", name)
        tenant.settled("Streaming")

    with pytest.raises(KubectlError, match=r"spec\.by says who wrote this pause"):
        apply_pause(tenant.kubectl, "signed-by-another", tenant.name, jobs=["feed"], reason="test", by="bob")


@pytest.mark.touches_every_pod
def test_a_cluster_pause_closes_the_connection_while_there_is_no_operator(
    tenant: Tenant, upstream: AlpacaInCluster, kubectl: Kubectl
) -> None:
    streaming(tenant, upstream)
    with no_operator(kubectl):
        began = time.time()
        apply_pause(kubectl, "incident", providers=[{"name": "alpaca"}], reason="vendor incident")
        try:
            assert closed_after(upstream, began) < 5
        finally:
            kubectl("delete", "cipause", "incident")
        eventually(lambda: upstream.subscribed == {"SPY", "AAPL"}, seconds=30)
    tenant.settled("Streaming", seconds=60)


def test_a_policy_warns_then_denies_and_its_end_brings_the_feed_back(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=60)
    bounds = {
        "namespaceSelector": {"matchLabels": {"sluice.dev/tenant": tenant.name}},
        "providers": [{"name": "alpaca"}],
        "message": "Ask platform@example.com.",
    }
    apply_policy(tenant.kubectl, tenant.name, **bounds, mode="Warn")
    try:
        eventually(lambda: tenant.condition("PolicyCompliant") == ("False", "PolicyWarned"))
        tenant.settled("Streaming")
        apply_policy(tenant.kubectl, tenant.name, **bounds, mode="Enforce")
        tenant.settled("PolicyDenied", seconds=30)
        eventually(lambda: not tenant.pods(), seconds=30)
        assert tenant.heartbeat()["status"] == "blocked"
    finally:
        tenant.kubectl("delete", "ipolicy", tenant.name)
    tenant.settled("Streaming", seconds=60)
