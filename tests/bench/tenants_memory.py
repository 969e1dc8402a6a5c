"""The memory of the operator with 500 jobs that are as large as tenants can make them, on a real API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubernetes.aio.client.api_client import ApiClient

from bench.operator_process import running_operator
from bench.rows import Row
from sluice_contract import identity
from sluice_operator import resync
from sluice_operator.adapters.access import create_kubeconfig_client
from sluice_operator.adapters.api import RequestSender
from support.cluster import cluster_without_operator
from support.eventually import eventually

LARGE_JOBS = 500
ORDINARY_JOBS = 2000
MOST_MEMORY = 200.0  # MiB
_NAMESPACE = "acme"
_PATIENCE_SECONDS = 900.0
_QUIET_SECONDS = 10.0
_CONCURRENT_WRITES = 6
_COLLECTION = f"/apis/{identity.API_VERSION}/namespaces/{_NAMESPACE}/{identity.PLURAL}"
# The API server shares the machine, so its answers may take long. A leader must not exit meanwhile.
_PATIENT_LEADER = {
    "SLUICE_LEASE_SECONDS": "120",
    "SLUICE_LEASE_RENEW_SECONDS": "90",
    "SLUICE_LEASE_RETRY_SECONDS": "20",
}


def rows(folder: Path) -> list[Row]:
    """Measure the operator with 500 large jobs, and then, on another cluster, with 2,000 ordinary jobs."""
    found = []
    for name, count, document in (
        (f"{LARGE_JOBS} jobs of 460 kB", LARGE_JOBS, large_job),
        (f"{ORDINARY_JOBS:,} ordinary jobs", ORDINARY_JOBS, ordinary_job),
    ):
        with cluster_without_operator(folder / f"devcluster-{count}") as state:
            log = folder / f"operator-{count}.log"
            found += asyncio.run(_measured(name, state.kubeconfig_file, log, count, document))
    return found


def ordinary_job(number: int) -> dict[str, Any]:
    """Return a job with 20 symbols. All jobs write the same documents, so only one of them gets a pod."""
    symbols = [f"S{at}" for at in range(20)]
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": {"name": f"job-{number}", "namespace": _NAMESPACE},
        "spec": {"tenant": _NAMESPACE, "provider": "synthetic", "symbols": symbols},
    }


def large_job(number: int) -> dict[str, Any]:
    """Return a job with the largest annotations and the longest paused symbols that the API server accepts: 460 kB."""
    job = ordinary_job(number)
    job["metadata"]["annotations"] = {f"example.com/note-{at}": "x" * 26_000 for at in range(10)}
    job["spec"]["pausedSymbols"] = [{"symbol": f"P{at}", "reason": "\N{ROCKET}" * 250} for at in range(200)]
    return job


async def _measured(
    name: str, kubeconfig: Path, log: Path, count: int, document: Callable[[int], dict[str, Any]]
) -> list[Row]:
    async with await create_kubeconfig_client(kubeconfig) as client:
        api = _Jobs(client, count)
        await api.create(document)
        async with running_operator(kubeconfig, log, _PATIENT_LEADER) as process:
            await api.wait_for_generation(1)
            start_cpu, start = process.cpu_seconds, process.memory("VmHWM")
            await asyncio.sleep(resync.FIRST_SECONDS + _QUIET_SECONDS)
            after_resync = process.memory("VmHWM")
            await api.change_all()
            await api.wait_for_generation(2)
            await asyncio.sleep(_QUIET_SECONDS)
            changed, now = process.memory("VmHWM"), process.memory("VmRSS")
            change_cpu = process.cpu_seconds - start_cpu
    return [
        _memory(f"operator, {name}: most memory until each job has a status", start),
        _memory(f"operator, {name}: most memory until after the first resync", after_resync),
        _memory(f"operator, {name}: most memory while all jobs change once", changed),
        Row(name=f"operator, {name}: memory afterwards", unit="MiB", ours=now),
        Row(name=f"operator, {name}: CPU time until each job has a status", unit="s", ours=start_cpu),
        Row(name=f"operator, {name}: CPU time of the resync and the changes", unit="s", ours=change_cpu),
    ]


class _Jobs:
    """The jobs of the namespace on the API server."""

    def __init__(self, client: ApiClient, count: int) -> None:
        self._api = RequestSender(client, 120.0)
        self._names = [f"job-{number}" for number in range(count)]
        self._turns = asyncio.Semaphore(_CONCURRENT_WRITES)

    async def create(self, document: Callable[[int], dict[str, Any]]) -> None:
        """Create the namespace, in which no pod may be created, and the jobs."""
        await self._api.send_request("POST", "/api/v1/namespaces", body={"metadata": {"name": _NAMESPACE}})
        quota = {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}}
        await self._api.send_request("POST", f"/api/v1/namespaces/{_NAMESPACE}/resourcequotas", body=quota)
        await asyncio.gather(*(self._send("POST", _COLLECTION, document(at)) for at in range(len(self._names))))

    async def change_all(self) -> None:
        """Change the spec of each job."""
        patch = {"spec": {"limits": {"writesPerSecond": 21}}}
        await asyncio.gather(*(self._send("MERGE", f"{_COLLECTION}/{name}", patch) for name in self._names))

    async def wait_for_generation(self, generation: int) -> None:
        """Wait until the status of each job is about this generation of its spec."""
        for name in self._names:

            async def is_reported(name: str = name) -> bool:
                job = json.loads(await self._api.send_request("GET", f"{_COLLECTION}/{name}"))
                conditions = job.get("status", {}).get("conditions", [])
                return any(each["observedGeneration"] == generation for each in conditions)

            await eventually(is_reported, _PATIENCE_SECONDS)

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        async with self._turns:
            await self._api.send_request(method, path, body=body)


def _memory(name: str, figure: float) -> Row:
    target = f"<= {MOST_MEMORY:g} MiB"
    return Row(name=name, unit="MiB", ours=figure, target=target, met=figure <= MOST_MEMORY)
