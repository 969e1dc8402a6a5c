"""How soon the operator acts on a patch of a tenant while another tenant changes 50 jobs a second."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.operator_process import running_operator
from bench.rows import Row
from sluice_contract import identity
from sluice_devcluster.api import MERGE, ApiClient
from sluice_devcluster.layout import StateDirectory
from support.cluster import cluster_without_operator

BUSY_JOBS = 100
CHANGES_PER_SECOND = 50
WARM_UP_PATCHES = 20  # not counted: the API server has just started, and still builds its OpenAPI documents
PATCHES = 120
SECONDS_BETWEEN_PATCHES = 0.5
MOST_REQUESTS = 10
MOST_SECONDS = 1.0
_BUSY, _OTHER = "busy", "other"
_NAME = f"a patch beside {CHANGES_PER_SECOND} changes a second of another tenant"
_PATIENCE_SECONDS = 60.0
_LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/sluice-operator"


def rows(folder: Path) -> list[Row]:
    """Patch one job of a tenant 120 times, while another tenant changes its 100 jobs 50 times a second."""
    with cluster_without_operator(folder / "devcluster") as state:
        return asyncio.run(_measured(state, folder / "operator.log"))


async def _measured(state: StateDirectory, log: Path) -> list[Row]:
    async with _admin(state) as api:
        await _create_jobs(api, _BUSY, BUSY_JOBS)
        await _create_jobs(api, _OTHER, 1)
        async with running_operator(state.kubeconfig_file, log) as process, asyncio.TaskGroup() as group:
            acted: dict[int, float] = {}
            watch = group.create_task(_record_reported_generations(api, acted))
            await _patch_and_wait(api, acted, -1)  # from here on, the operator leads
            before = await api.get(_LEASE)
            changed: list[float] = []
            changes = group.create_task(_change_jobs_forever(api, changed))
            for number in range(WARM_UP_PATCHES):
                await _patch_and_wait(api, acted, -2 - number)
            began_at, cpu_before = time.monotonic(), process.cpu_seconds
            waits = [await _patch_and_wait(api, acted, number) for number in range(PATCHES)]
            seconds, cpu = time.monotonic() - began_at, process.cpu_seconds - cpu_before
            changes.cancel()
            watch.cancel()
            after = await api.get(_LEASE)
    rate = sum(at >= began_at for at in changed) / seconds
    return [*_figures(waits, before, after), *_loads(rate, cpu / seconds)]


def _loads(rate: float, cpu: float) -> list[Row]:
    return [
        Row(name=f"{_NAME}: changes of the busy tenant", unit="1/s", ours=rate),
        Row(name=f"{_NAME}: CPU of the operator", unit="cores", ours=cpu),
    ]


def _figures(waits: list[float], before: dict[str, Any], after: dict[str, Any]) -> list[Row]:
    slowest = statistics.quantiles(waits, n=100)[98]
    transitions = after["spec"]["leaseTransitions"] - before["spec"]["leaseTransitions"]
    return [
        Row(
            name=f"{_NAME}: p99 until the operator has acted",
            unit="s",
            ours=slowest,
            median=statistics.median(waits),
            target=f"<= {MOST_SECONDS:g} s",
            met=slowest <= MOST_SECONDS,
        ),
        Row(name=f"{_NAME}: median", unit="s", ours=statistics.median(waits)),
        Row(name=f"{_NAME}: the leader lost its Lease", unit="", ours=transitions, target="0", met=transitions == 0),
    ]


async def _patch_and_wait(api: ApiClient, acted: dict[int, float], number: int) -> float:
    """Pause the job or resume it. Return the seconds from the patch to the operator's status about it."""
    await asyncio.sleep(SECONDS_BETWEEN_PATCHES)
    sent_at = time.monotonic()
    reason = {"reason": f"bench {number}"}
    patched = await api.patch(_path(_OTHER, "job-0"), {"spec": {"pause": reason}}, MERGE)
    generation = patched["metadata"]["generation"]
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not (found := [at for each, at in acted.items() if each >= generation]):  # noqa: ASYNC110  another task adds
            await asyncio.sleep(0.005)
    return min(found) - sent_at


async def _record_reported_generations(api: ApiClient, acted: dict[int, float]) -> None:
    """Write the time at which each generation of the job was first seen in its status into `acted`."""
    async for event in api.watch(f"/apis/{identity.API_VERSION}/namespaces/{_OTHER}/{identity.PLURAL}", {}):
        generation = event["object"].get("status", {}).get("observedGeneration")
        if generation is not None:
            acted.setdefault(generation, time.monotonic())


async def _change_jobs_forever(api: ApiClient, changed: list[float]) -> None:
    """Change one job after the other, CHANGES_PER_SECOND times a second. Add the time of each response to `changed`.

    At most MOST_REQUESTS wait for a response: an API server that is slower than the changes is not flooded.
    """
    begun = time.monotonic()
    free = asyncio.Semaphore(MOST_REQUESTS)

    async def change(number: int) -> None:
        patch = {"spec": {"limits": {"writesPerSecond": 21 + number // BUSY_JOBS % 50}}}
        try:
            await api.patch(_path(_BUSY, f"job-{number % BUSY_JOBS}"), patch, MERGE)
        finally:
            free.release()
        changed.append(time.monotonic())

    async with asyncio.TaskGroup() as group:
        for number in itertools.count():
            await free.acquire()
            group.create_task(change(number))
            await asyncio.sleep(max(0.0, begun + number / CHANGES_PER_SECOND - time.monotonic()))


async def _create_jobs(api: ApiClient, namespace: str, count: int) -> None:
    await api.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    # There is no image for pods: the node would retry each of them, at the cost of the API server.
    quota = {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}}
    await api.post(f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    for number in range(count):
        job = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": {"name": f"job-{number}", "namespace": namespace},
            "spec": {
                "tenant": namespace,
                "provider": "synthetic",
                "enabled": False,
                "symbols": [f"S{number}X{at}" for at in range(20)],
                "heartbeat": {"document": f"job-{number}"},
            },
        }
        await api.post(_path(namespace), job)


def _path(namespace: str, job: str = "") -> str:
    return f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}" + (f"/{job}" if job else "")


@asynccontextmanager
async def _admin(state: StateDirectory) -> AsyncIterator[ApiClient]:
    settings = state.load_settings()
    assert settings is not None, "the cluster is down"
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as api:
        yield api
