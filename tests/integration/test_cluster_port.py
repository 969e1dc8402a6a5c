"""The operator's adapter against a real API server: the suite that its fake also passes, and cases that need HTTP."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice_contract import identity
from sluice_devcluster.kubectl import Kubectl
from sluice_operator.adapters import access
from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.kubernetes import KubernetesCluster
from sluice_operator.adapters.lease import KubernetesLease
from sluice_operator.adapters.pod_dry_run import KubernetesPodDryRun
from sluice_operator.domain import workload
from sluice_operator.ports import LeaseStore, NotLeading, PodDryRun, RequestRefused, Unavailable
from support.cluster import cluster_without_operator
from support.timed_kubectl import TimedKubectl
from unit.operator.behaviour import PODS, SPEC, STATUS, ClusterBehaviour, LeaseBehaviour, declared
from unit.operator.dry_runs import DryRunBehaviour

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster with the CRD but without an operator, which would act on the jobs of these tests."""
    with cluster_without_operator(tmp_path_factory.mktemp("port")) as state:
        yield state.kubeconfig_file


class HttpBench:
    """One namespace of the cluster."""

    def __init__(self, cluster: KubernetesCluster, kubectl: Kubectl, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._kubectl = kubectl

    async def declare(self, name: str, spec: dict[str, Any]) -> None:
        self._kubectl.apply([self._job(name) | {"spec": spec}])

    async def report(self, name: str, stream: dict[str, Any]) -> None:
        manager = f"--field-manager={identity.RUNTIME_FIELD_MANAGER}"
        document = self._job(name) | {"status": {"stream": stream}}
        text = json.dumps(document)
        self._kubectl("apply", "--server-side", "--subresource=status", manager, "-f", "-", text=text)

    def _job(self, name: str) -> dict[str, Any]:
        meta = {"name": name, "namespace": self.namespace}
        return {"apiVersion": identity.API_VERSION, "kind": identity.KIND, "metadata": meta}


@pytest.fixture
async def bench(kubeconfig: Path) -> AsyncIterator[HttpBench]:
    """A namespace for one test."""
    kubectl, namespace = TimedKubectl(Path("kubectl"), kubeconfig), f"port-{next(_numbers)}"
    kubectl("create", "namespace", namespace)
    async with await access.create_kubeconfig_client(kubeconfig) as client:
        yield HttpBench(KubernetesCluster(RequestSender(client)), kubectl, namespace)


class TestKubernetesCluster(ClusterBehaviour):
    """Runs the whole suite for clusters."""


class TestKubernetesPodDryRun(DryRunBehaviour):
    """Runs the whole suite for dry runs, as a replica that does not lead."""

    @pytest.fixture
    async def dry_runs(self, kubeconfig: Path) -> AsyncIterator[PodDryRun]:
        """Dry runs with connections of their own."""
        async with await access.create_kubeconfig_client(kubeconfig) as client:
            yield KubernetesPodDryRun(RequestSender(client))


class TestKubernetesLease(LeaseBehaviour):
    """Runs the whole suite for leases."""

    @pytest.fixture
    async def leases(self, bench: HttpBench, kubeconfig: Path) -> AsyncIterator[LeaseStore]:
        """A Lease in the namespace of the test."""
        async with await access.create_kubeconfig_client(kubeconfig) as client:
            yield KubernetesLease(RequestSender(client), bench.namespace, "sluice-operator", patience_seconds=1.5)


async def test_a_replica_that_does_not_lead_reads_and_writes_nothing(bench: HttpBench, kubeconfig: Path) -> None:
    job = await declared(bench)
    async with await access.create_kubeconfig_client(kubeconfig) as client:
        standby = KubernetesCluster(RequestSender(client, write_seconds_left=lambda: 0.0))
        assert (await standby.read_job(job.key)).metadata.uid == job.metadata.uid
        for write in (
            standby.write_operator_status(job, STATUS),
            standby.apply_account_and_role_binding(bench.namespace),
            standby.create_pod(workload.pod_manifest(job, 7, "cold", PODS)),
            standby.delete_pod(job.key, "any", "1"),
            standby.create_event({"metadata": {"namespace": bench.namespace}}),
        ):
            with pytest.raises(NotLeading):
                await write
    assert (await bench.cluster.read_job(job.key)).status == job.status


async def test_a_list_of_many_pages_is_complete(bench: HttpBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice_operator.adapters.paged_lists.OBJECTS_IN_PAGE", 2)
    for number in range(5):
        await bench.declare(f"job-{number}", SPEC)
    names = [job.metadata.name for job in await bench.cluster.list_jobs() if job.metadata.namespace == bench.namespace]
    assert names == [f"job-{number}" for number in range(5)]


async def test_only_watched_namespaces_are_listed(bench: HttpBench, kubeconfig: Path) -> None:
    await bench.declare("one", SPEC)
    async with await access.create_kubeconfig_client(kubeconfig) as client:
        here = KubernetesCluster(RequestSender(client), (bench.namespace,))
        elsewhere = KubernetesCluster(RequestSender(client), ("default",))
        assert (len(await here.list_jobs()), await elsewhere.list_jobs()) == (1, [])


async def test_a_rejection_by_the_schema_has_the_schema_s_message(bench: HttpBench) -> None:
    job = await declared(bench)
    await bench.cluster.apply_account_and_role_binding(bench.namespace)
    manifest = workload.pod_manifest(job, 7, "cold", PODS)
    manifest["spec"]["restartPolicy"] = "Sometimes"
    with pytest.raises(RequestRefused, match="restartPolicy"):
        await bench.cluster.create_pod(manifest)


async def test_the_pod_satisfies_pod_security_restricted(bench: HttpBench) -> None:
    bench._kubectl("label", "namespace", bench.namespace, "pod-security.kubernetes.io/enforce=restricted")
    job = await declared(bench)
    await bench.cluster.apply_account_and_role_binding(bench.namespace)
    assert (await bench.cluster.create_pod(workload.pod_manifest(job, 7, "cold", PODS)))["metadata"]["uid"]


async def test_an_unreachable_server_raises_unavailable(kubeconfig: Path) -> None:
    async with await access.create_kubeconfig_client(kubeconfig) as client:
        client.configuration.host = "https://127.0.0.1:1"
        with pytest.raises(Unavailable):
            await KubernetesCluster(RequestSender(client)).list_jobs()


async def test_an_exec_plugin_of_a_kubeconfig_provides_the_token(tmp_path: Path) -> None:
    credential = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"made"}}'
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": [credential]}
    config = {
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:8001"}}],
        "users": [{"name": "me", "user": {"exec": plugin | {"interactiveMode": "Never"}}}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    async with await access.create_kubeconfig_client(tmp_path / "config") as client:
        assert await client.configuration.get_api_key_with_prefix("BearerToken") == "Bearer made"
