"""The watches of ServiceAccounts and RoleBindings, on a real API server without an operator."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sluice_devcluster.kubectl import Kubectl
from sluice_operator.adapters import access
from sluice_operator.adapters.account_watches import create_account_watches
from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.kubernetes import KubernetesCluster
from sluice_operator.adapters.paged_lists import PagedLists
from sluice_operator.domain.account_objects import AccountObject
from support.cluster import cluster_without_operator
from support.deadlines import wait_for
from support.timed_kubectl import TimedKubectl


async def test_what_the_operator_has_applied_is_intact_until_it_is_changed_or_deleted(tmp_path: Path) -> None:
    with cluster_without_operator(tmp_path / "state") as state:
        kubectl: Kubectl = TimedKubectl(Path("kubectl"), state.kubeconfig_file)
        kubectl("create", "namespace", "acme")
        kubectl("create", "serviceaccount", "another", "-n", "acme")
        async with await access.create_kubeconfig_client(state.kubeconfig_file) as client:
            sender = RequestSender(client)
            await KubernetesCluster(sender).apply_account_and_role_binding("acme")
            for namespaces in ((), ("acme",)):
                for watch in create_account_watches(client, PagedLists(sender), namespaces):
                    objects, version = await watch.source.list_objects()
                    assert objects == [AccountObject("acme", True)]
                    assert watch.namespace == "".join(namespaces)
            events = watch.source.watch_objects(version)
            await asyncio.to_thread(kubectl, "delete", watch.plural, "sluice-ingest", "-n", "acme")
            assert await wait_for(anext(events), 10) == ("DELETED", AccountObject("acme", True))
