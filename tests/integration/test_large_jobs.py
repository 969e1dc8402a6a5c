"""Jobs that are as large as tenants can make them, on a real API server: the operator reads all that it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import kopf
import pytest
import yaml

from sluice_devcluster.kubectl import KubectlError
from sluice_devcluster.quickstart import Quickstart
from sluice_operator import handlers
from sluice_operator.adapters import access
from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.delivering_responses import create_delivering_response_class
from sluice_operator.adapters.kubernetes import KubernetesCluster
from sluice_operator.adapters.page_turn import PageTurn
from sluice_operator.informer_cache import ClusterState
from sluice_operator.watch_delivery import WatchDelivery
from support.eventually import eventually
from support.every_key import EveryKey
from support.site import Tenant
from support.site import eventually as eventually_in_time

NOTES = [f"example.com/note-{number}={'x' * 50_000}" for number in range(4)]
PAUSED = [{"symbol": f"P{number}", "reason": "x" * 250} for number in range(200)]


def enlarge(tenant: Tenant) -> None:
    """Give the job annotations and reasons of 250 kB in total."""
    for note in NOTES:
        tenant.run("annotate", "ij", "feed", note)
    tenant.patch(pausedSymbols=PAUSED)


def test_a_large_job_streams_and_its_stop_is_confirmed(tenant: Tenant) -> None:
    tenant.apply()
    enlarge(tenant)
    tenant.settled("Streaming")
    tenant.patch(enabled=False)
    tenant.settled("Paused")
    assert len(tenant.run("get", "ij", "feed", "-o", "json")) > 250_000


@asynccontextmanager
async def kopf_cache(site: Quickstart, tenant: Tenant) -> AsyncIterator[tuple[ClusterState, KubernetesCluster]]:
    """Run the operator's kopf for one namespace. Yield the cache that it fills, and the operator's own adapter."""
    store, page_turn, stop = ClusterState(EveryKey()), PageTurn(), asyncio.Event()
    async with await access.create_kubeconfig_client(site.kubeconfig) as client:

        async def log_in() -> kopf.AiohttpSession:
            read_only = access.ReadOnlyMiddleware(lambda: None)
            reduced = create_delivering_response_class(page_turn, WatchDelivery(store).deliver)
            session = access.create_read_only_session(client, read_only, 10, reduced)
            return kopf.AiohttpSession(server=client.configuration.host, aiohttp_session=session)

        running = asyncio.create_task(
            kopf.operator(
                registry=handlers.kopf_registry(store, log_in),
                settings=handlers.kopf_settings(),
                namespaces=[tenant.name],
                standalone=True,
                stop_flag=stop,
            )
        )
        yield store, KubernetesCluster(RequestSender(client), (tenant.name,), page_turn)
        stop.set()
        await running


async def test_kopf_delivers_the_same_objects_as_a_read(site: Quickstart, tenant: Tenant) -> None:
    await asyncio.to_thread(tenant.apply)
    await asyncio.to_thread(enlarge, tenant)
    await asyncio.to_thread(tenant.settled, "Streaming")
    key = (tenant.name, "feed")
    async with kopf_cache(site, tenant) as (store, cluster):

        async def all_is_equal() -> bool:
            job, pod = await cluster.read_job(key), await cluster.read_pod(key)
            lists = await cluster.list_jobs(), await cluster.list_pods()
            return (store.jobs.get(key), store.pods.get(key), lists) == (job, pod, ([job], [pod]))

        await eventually(all_is_equal)
        await asyncio.to_thread(tenant.patch, pausedSymbols=PAUSED[:100], symbols=["AAPL", "P1"])
        await eventually(all_is_equal)
        await asyncio.to_thread(tenant.run, "annotate", "ij", "feed", "example.com/note-0-")
        await eventually(all_is_equal)
        await asyncio.to_thread(tenant.run, "delete", "ij", "feed")
        await eventually(lambda: store.jobs.get(key) is None and store.pods.get(key) is None)


def test_the_quota_of_the_tenant_sample_limits_new_jobs_and_refuses_no_stop(site: Quickstart, tenant: Tenant) -> None:
    sample = yaml.safe_load_all(site.kubectl("kustomize", str(site.manifests / "overlays/production/tenant")))
    [quota] = [each for each in sample if each["kind"] == "ResourceQuota"]
    [resource] = (each for each in quota["spec"]["hard"] if "ingestjobs" in each)

    def allow(jobs: int) -> None:
        metadata = {"name": "jobs", "namespace": tenant.name}
        tenant.kubectl.apply([quota | {"metadata": metadata, "spec": {"hard": {resource: str(jobs)}}}])
        eventually_in_time(lambda: counted() == {"hard": {resource: str(jobs)}, "used": {resource: "1"}})

    def counted() -> dict[str, Any]:
        found: dict[str, Any] = tenant.kubectl.get("resourcequota", "jobs", "-n", tenant.name).get("status", {})
        return found

    tenant.apply()
    tenant.settled("Streaming")
    allow(1)
    with pytest.raises(KubectlError, match="exceeded quota"):
        tenant.apply("second")
    allow(0)
    tenant.patch(enabled=False)
    tenant.settled("Paused")
