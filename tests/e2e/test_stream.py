"""Feeds on a real kubelet, seen from the provider, while the job, its Secret, its pod or its image changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice_devcluster.kubectl import Kubectl
from support.exchange import AlpacaInCluster, streaming
from support.kind import KindCluster
from support.operator_replicas import OPERATOR
from support.podwatch import PodWatch, watched
from support.site import Tenant, eventually

POD = "feed-ingest"
NEXT_IMAGE = "sluice-runtime:next"


@pytest.fixture
def pods(cluster: KindCluster, tenant: Tenant) -> Iterator[PodWatch]:
    """Watch the tenant's pods."""
    with watched(cluster.kubeconfig, tenant.name, cluster.folder) as found:
        yield found


@contextmanager
def unschedulable(kubectl: Kubectl) -> Iterator[None]:
    """Make every new pod unschedulable while the context lasts."""
    [node] = kubectl("get", "nodes", "-o", "name").split()
    kubectl("cordon", node)
    try:
        yield
    finally:
        kubectl("uncordon", node)


@contextmanager
def runtime_image(kubectl: Kubectl, image: str) -> Iterator[None]:
    """Make the operator use another runtime image while the context lasts."""
    [container] = kubectl.get("deployment", "sluice-operator", "-n", "sluice-system")["spec"]["template"]["spec"][
        "containers"
    ]
    [before] = [each["value"] for each in container["env"] if each["name"] == "SLUICE_RUNTIME_IMAGE"]
    try:
        _roll(kubectl, image)
        yield
    finally:
        _roll(kubectl, before)


def _roll(kubectl: Kubectl, image: str) -> None:
    kubectl("set", "env", *OPERATOR, f"SLUICE_RUNTIME_IMAGE={image}")
    kubectl("rollout", "status", *OPERATOR, "--timeout=90s")


def assert_replaced_old_first(pods: PodWatch, name: str) -> None:
    """Check that two pods had the name, and that the first exited gracefully before the second was created."""
    old, new = pods.lives(name)
    assert old.gone is not None
    assert old.gone < new.born
    assert old.exit_code == 0
    assert old.was_graceful


def test_a_job_that_is_paused_while_its_pod_is_pending_never_connects(
    tenant: Tenant, upstream: AlpacaInCluster, kubectl: Kubectl
) -> None:
    with unschedulable(kubectl):
        tenant.apply(**upstream.spec)
        eventually(lambda: [pod["status"]["phase"] for pod in tenant.pods()] == ["Pending"])
        tenant.patch(enabled=False)
    eventually(lambda: tenant.heartbeat().get("status") == "paused", seconds=30)
    status = tenant.settled("Paused")
    assert "socketClosedAt" not in status["stream"]["pause"]
    assert upstream.connections() == []
    assert tenant.quotes() == {}


def test_symbols_are_added_and_removed_on_the_same_connection(tenant: Tenant, upstream: AlpacaInCluster) -> None:
    streaming(tenant, upstream)
    tenant.patch(symbols=["SPY", "MSFT", "BRK.B"])
    tenant.settled("Streaming")
    assert upstream.subscribed == {"SPY", "MSFT", "BRK.B"}
    eventually(lambda: set(tenant.quotes()) == {"SPY", "MSFT", "BRK.B"})
    assert len(upstream.connections()) == 1


def test_a_killed_container_is_restarted_in_the_same_pod(
    tenant: Tenant, upstream: AlpacaInCluster, cluster: KindCluster
) -> None:
    before = streaming(tenant, upstream)["stream"]
    cluster.kill(before["podUID"])
    eventually(lambda: tenant.job()["status"]["stream"]["heartbeat"]["sessionID"] != before["heartbeat"]["sessionID"])
    after = tenant.settled("Streaming", seconds=30)["stream"]
    assert after["podUID"] == before["podUID"]
    [pod] = tenant.pods()
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 1
    assert len(upstream.connections()) == 2


def test_a_deleted_pod_exits_gracefully_before_the_next_starts(
    tenant: Tenant, upstream: AlpacaInCluster, pods: PodWatch
) -> None:
    before = streaming(tenant, upstream)
    tenant.run("delete", "pod", POD)
    eventually(lambda: len(pods.lives(POD)) == 2, seconds=30)
    eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != before["stream"]["podUID"], seconds=30)
    assert tenant.settled("Streaming")["epoch"] > before["epoch"]
    assert_replaced_old_first(pods, POD)
    first, second = upstream.connections()
    assert first["side"] == "client"
    assert first["closed"] < second["opened"]


@pytest.mark.touches_every_pod
def test_another_runtime_image_replaces_every_pod_after_the_old_one_has_exited(
    tenant: Tenant, upstream: AlpacaInCluster, cluster: KindCluster, pods: PodWatch
) -> None:
    cluster.alias("docker.io/library/sluice-runtime:0.1.0", f"docker.io/library/{NEXT_IMAGE}")
    streaming(tenant, upstream)
    tenant.apply("other", symbols=["MSFT"], heartbeat={"document": "other", "intervalSeconds": 1})
    tenant.settled("Streaming", "other")
    with runtime_image(cluster.kubectl, NEXT_IMAGE):
        eventually(lambda: len(pods.lives(POD)) == len(pods.lives("other-ingest")) == 2, seconds=120)
        for name, job in ((POD, "feed"), ("other-ingest", "other")):
            tenant.settled("Streaming", job, seconds=30)
            assert_replaced_old_first(pods, name)
            assert pods.lives(name)[1].image == NEXT_IMAGE
    first, second = upstream.connections()[:2]
    assert first["closed"] < second["opened"]


@pytest.mark.parametrize("engine", ["native", "sdk"])
def test_either_engine_streams_while_the_preflight_checks_the_account(
    tenant: Tenant, upstream: AlpacaInCluster, engine: str
) -> None:
    tenant.apply(**upstream.spec_of(engine=engine, rest=True))
    tenant.settled("Streaming", seconds=60)
    preflight = eventually(lambda: tenant.job()["status"]["stream"].get("preflight"), seconds=60)
    assert (preflight["passed"], preflight["findings"][0]) == (True, "account: ACTIVE"), preflight
    eventually(lambda: set(tenant.quotes()) == {"SPY", "AAPL"})
    [pod] = tenant.pods()
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    tenant.patch(enabled=False)
    tenant.settled("Paused")
    [connection] = upstream.connections()
    assert connection["side"] == "client"


def test_provider_ibkr_is_in_the_image_and_names_the_unreachable_gateway(tenant: Tenant) -> None:
    tenant.apply(provider="ibkr", ibkr={"host": "gateway", "port": 4002})
    failure = eventually(lambda: tenant.job().get("status", {}).get("stream", {}).get("failure"), seconds=60)
    assert (failure["type"], "gateway:4002" in failure["message"]) == ("network", True), failure


def test_a_rotated_secret_is_used_by_the_same_pod_on_a_new_connection(
    tenant: Tenant, upstream: AlpacaInCluster
) -> None:
    before = streaming(tenant, upstream)
    upstream.accept_key_pair("next-key", "next-secret")
    tenant.secret("alpaca", ALPACA_KEY_ID="next-key", ALPACA_SECRET_KEY="next-secret")
    # A kubelet checks about once a minute whether a mounted Secret has changed.
    eventually(lambda: len(upstream.connections()) == 2, seconds=150)
    written = tenant.writes()
    eventually(lambda: all(tenant.writes()[symbol] > written[symbol] for symbol in written))
    after = tenant.settled("Streaming")
    assert (after["epoch"], after["stream"]["podUID"]) == (before["epoch"], before["stream"]["podUID"])
    first, second = upstream.connections()
    assert (first["key"], first["side"], second["key"]) == ("key", "client", "next-key")
    assert first["closed"] <= second["opened"]


def test_a_deleted_job_closes_its_connection_and_its_heartbeat_says_stopped(
    tenant: Tenant, upstream: AlpacaInCluster, pods: PodWatch
) -> None:
    streaming(tenant, upstream)
    tenant.run("delete", "ij", "feed")
    eventually(lambda: pods.lives(POD)[0].gone, seconds=30)
    [pod] = pods.lives(POD)
    assert pod.exit_code == 0
    assert pod.was_graceful
    assert tenant.heartbeat()["status"] == "stopped"
    [connection] = upstream.connections()
    assert connection["side"] == "client"
    assert set(tenant.quotes()) == {"SPY", "AAPL"}
