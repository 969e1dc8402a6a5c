"""The operator's requests about IngestPolicies and namespaces, on a real API server without an operator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kubernetes.aio.client.api_client import ApiClient

from sluice_contract.policies import IngestPolicyStatus
from sluice_devcluster.kubectl import Kubectl
from sluice_operator.adapters import access
from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.object_watch import KubernetesObjectWatch, watch_opener
from sluice_operator.adapters.paged_lists import PagedLists
from sluice_operator.adapters.policies import KubernetesPolicyStatuses, create_namespace_watch, create_policy_watch
from sluice_operator.domain.policy_objects import decode_policy_text
from sluice_operator.object_follower import ObjectFollower
from sluice_operator.policy_state import PolicyState
from sluice_operator.ports import NotFound
from support.cluster import cluster_without_operator
from support.deadlines import wait_for
from support.eventually import eventually
from support.timed_kubectl import TimedKubectl


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster with the CRDs but without an operator."""
    with cluster_without_operator(tmp_path_factory.mktemp("policies")) as state:
        yield state.kubeconfig_file


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    return TimedKubectl(Path("kubectl"), kubeconfig)


@pytest.fixture
async def client(kubeconfig: Path) -> AsyncIterator[ApiClient]:
    async with await access.create_kubeconfig_client(kubeconfig) as found:
        yield found


def apply(kubectl: Kubectl, name: str, **spec: Any) -> None:
    document = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPolicy", "metadata": {"name": name}}
    kubectl.apply([document | {"spec": {"namespaceSelector": {}} | spec}])


async def test_policies_and_namespaces_are_followed(kubectl: Kubectl, client: ApiClient) -> None:
    """The API server is real; changes arrive by the watch."""
    kubectl("create", "namespace", "acme")
    apply(kubectl, "first", providers=[])
    state, lists = PolicyState(lambda _: None), PagedLists(RequestSender(client))
    policies = ObjectFollower("ingestpolicies", create_policy_watch(client, lists), state, asyncio.sleep)
    namespaces = ObjectFollower("namespaces", create_namespace_watch(client, lists), state.namespaces, asyncio.sleep)
    await policies.list_at_start()
    await namespaces.list_at_start()
    assert (len(state), state.is_known, "acme" in state.namespaces.names()) == (1, True, False)
    running = [asyncio.create_task(each.run()) for each in (policies, namespaces)]
    try:
        await asyncio.to_thread(kubectl, "label", "namespace", "acme", "sluice.dev/tenant=acme")
        await eventually(lambda: state.namespaces.labels("acme") is not None)
        await asyncio.to_thread(apply, kubectl, "second", dryRun=True)
        await eventually(lambda: state.policy_object("second") is not None)
        await asyncio.to_thread(apply, kubectl, "first", mode="Warn")
        await eventually(lambda: (found := state.policy_object("first")) is not None and found.metadata.generation == 2)
        await asyncio.to_thread(kubectl, "delete", "ipolicy", "second")
        await eventually(lambda: state.policy_object("second") is None)
        await asyncio.to_thread(kubectl, "label", "namespace", "acme", "sluice.dev/tenant-")
        await eventually(lambda: state.namespaces.labels("acme") is None)
    finally:
        for task in running:
            task.cancel()


async def test_a_status_is_written_unless_the_policy_is_gone(kubectl: Kubectl, client: ApiClient) -> None:
    apply(kubectl, "stated")
    api = RequestSender(client)
    found, _ = await create_policy_watch(client, PagedLists(api)).list_objects()
    [stored] = [each for each in found if each.metadata.name == "stated"]
    status = IngestPolicyStatus(observed_generation=1, namespaces=0, jobs=0, denied_jobs=0)
    written = await KubernetesPolicyStatuses(api).write_policy_status(stored, status)
    assert written.status == status
    fewer = msgspec.structs.replace(status, namespaces=None)
    assert (await KubernetesPolicyStatuses(api).write_policy_status(stored, fewer)).status == fewer
    foreign = json.dumps({"status": {"namespaces": 7}})
    kubectl("patch", "ipolicy", "stated", "--subresource=status", "--type=merge", "-p", foreign)
    assert (await KubernetesPolicyStatuses(api).write_policy_status(stored, fewer)).status == fewer
    kubectl("delete", "ipolicy", "stated")
    with pytest.raises(NotFound):
        await KubernetesPolicyStatuses(api).write_policy_status(written, status)


async def test_an_absent_kind_has_no_objects_and_a_forbidden_one_keeps_the_last_known(
    kubectl: Kubectl, client: ApiClient, tmp_path: Path
) -> None:
    lists = PagedLists(RequestSender(client))
    path = "/apis/sluice.dev/v1alpha1/ingestnothings"
    absent = KubernetesObjectWatch(lists, watch_opener(client), path, decode_policy_text)
    state = PolicyState(lambda _: None)
    follower = ObjectFollower("ingestnothings", absent, state, asyncio.sleep)
    await wait_for(follower.list_at_start(), 10)
    assert (state.is_known, "does not serve" in follower.problem) == (True, True)

    kubectl("create", "serviceaccount", "unprivileged", "-n", "default")
    token = kubectl("create", "token", "unprivileged", "-n", "default").strip()
    configuration = msgspec.json.decode(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    server = configuration["clusters"][0]["cluster"]
    file = write_kubeconfig(server, token, tmp_path / "kubeconfig.json")
    async with await access.create_kubeconfig_client(file) as limited:
        policies = create_policy_watch(limited, PagedLists(RequestSender(limited)))
        follower = ObjectFollower("ingestpolicies", policies, state, asyncio.sleep)
        await wait_for(follower.list_at_start(), 10)
    assert "may not list and watch ingestpolicies" in follower.problem


def write_kubeconfig(server: dict[str, Any], token: str, file: Path) -> Path:
    """Write a kubeconfig for the same API server with the token of an account. Return the file."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(json.dumps(document))
    return file
