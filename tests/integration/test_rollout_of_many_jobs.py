"""Rollouts of 40 jobs on a real API server. The pods have no node: the test writes what kubelet and runtime would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sluice_contract import identity
from sluice_devcluster.api import ApiClient
from sluice_devcluster.cluster import AGENT, AGENT_GRACE_SECONDS
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.processes import stop_processes
from support.cluster import cluster_without_operator
from support.deadlines import assert_takes_at_most
from support.eventually import eventually
from support.nodeless_pods import NodelessPods
from support.operator_process import SHIPPED_HOLD_SECONDS, operator_process, replica_name

JOBS = 40
SHARE = 4  # a tenth, which is the default
A, B = "sluice-runtime:a", "sluice-runtime:b"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/sluice-operator"
SECONDS = 60.0

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDirectory]:
    """A cluster with the CRDs, and without an operator and a node."""
    with cluster_without_operator(tmp_path_factory.mktemp("rollouts")) as state:
        stop_processes([state.record_file(AGENT)], AGENT_GRACE_SECONDS)
        yield state


@pytest.fixture
async def api(cluster: StateDirectory) -> AsyncIterator[ApiClient]:
    """Send requests as the cluster's administrator."""
    settings = cluster.load_settings()
    assert settings is not None
    async with ApiClient(settings.apiserver_port, cluster.pki, "admin") as client:
        yield client


@pytest.fixture
async def pods(api: ApiClient) -> AsyncIterator[NodelessPods]:
    """The pods of 40 jobs in a namespace of their own. At the end, the jobs are gone: a share is one of all jobs."""
    namespace = f"fleet-{next(_numbers)}"
    await api.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    collection = f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
    found = NodelessPods(api, namespace)
    async with found.running():
        for number in range(JOBS):
            await api.post(collection, job(namespace, f"feed-{number}"))
        yield found
        await api.delete(collection, {})

        async def are_gone() -> bool:
            return not await found.jobs()

        await eventually(are_gone, SECONDS)


def job(namespace: str, name: str) -> dict[str, object]:
    """Return a job with documents of its own."""
    own = {"heartbeat": {"document": name}, "firestore": {"liveQuotesCollection": name.replace("-", "_")}}
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"tenant": namespace, "provider": "synthetic", "symbols": ["SPY", "AAPL"], **own},
    }


async def all_are_ready(pods: NodelessPods, image: str) -> None:
    """Wait until all jobs are ready with a pod of this image, and none counts as being replaced."""

    async def holds() -> bool:
        if pods.count_current(image) < JOBS or pods.interrupted:
            return False
        statuses = [each.get("status", {}) for each in await pods.jobs()]
        ready = [
            condition["status"] == "True"
            for status in statuses
            for condition in status.get("conditions", ())
            if condition["type"] == "Ready"
        ]
        return ready == [True] * JOBS and not any("replacement" in status for status in statuses)

    await eventually(holds, SECONDS)


async def leader(api: ApiClient) -> str:
    """Return the name of the replica that holds the Lease."""
    return str((await api.get(LEASE))["spec"].get("holderIdentity", "")).rpartition("_")[0]


async def test_going_back_replaces_only_the_failed_pods_and_at_once(
    cluster: StateDirectory, pods: NodelessPods, tmp_path: Path
) -> None:
    kubeconfig, log = cluster.kubeconfig_file, tmp_path / "operator.log"
    async with operator_process(kubeconfig, log, A):
        await all_are_ready(pods, A)
    before = dict(pods.uids)

    pods.failing_images = frozenset({B})
    pods.watch_interruptions()
    async with operator_process(kubeconfig, log, B, hold_seconds=1):
        await eventually(lambda: pods.count_current(B) == SHARE, SECONDS)
    failed = {name for name in before if pods.images[name][-1] == B}

    with assert_takes_at_most(0.8 * SHIPPED_HOLD_SECONDS):  # until then, a new operator begins no other rollout
        async with operator_process(kubeconfig, log, A):
            await all_are_ready(pods, A)
    assert pods.most_interrupted == SHARE
    assert {name for name, uid in pods.uids.items() if before[name] != uid} == failed
    assert {tuple(pods.images[name]) for name in failed} == {(A, B, A)}


async def test_a_new_leader_continues_a_rollout_and_replaces_no_pod_twice(
    cluster: StateDirectory, api: ApiClient, pods: NodelessPods, tmp_path: Path
) -> None:
    kubeconfig, log = cluster.kubeconfig_file, tmp_path / "operator.log"
    async with operator_process(kubeconfig, log, A):
        await all_are_ready(pods, A)

    pods.report_seconds = 0.3
    pods.watch_interruptions()
    async with (
        operator_process(kubeconfig, log, B, 1, hold_seconds=2) as first,
        operator_process(kubeconfig, log, B, 2, hold_seconds=2) as second,
    ):
        replicas = {replica_name(1): first, replica_name(2): second}
        await eventually(lambda: pods.count_current(B) >= 2 * SHARE, SECONDS)
        killed = await leader(api)
        replicas[killed].kill()
        replaced = pods.count_current(B)
        assert replaced < JOBS
        await all_are_ready(pods, B)
        assert await leader(api) == (replicas.keys() - {killed}).pop()
    assert pods.most_interrupted <= SHARE
    assert {tuple(images) for images in pods.images.values()} == {(A, B)}
