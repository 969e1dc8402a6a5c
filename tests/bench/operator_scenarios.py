"""What `operator_cost` measures of each operator, each time on a cluster of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from bench import pod
from bench.operator_contenders import leading
from bench.operator_nodes import BurstFigures, SimulatedCluster, simulated_cluster
from support.eventually import eventually

_IDLE_SECONDS = 5.0
_IDLE_SHARE = 0.1  # of a core
_IDLE_PATIENCE_SECONDS = 60.0
_HEARTBEATS_PER_SECOND = 40
_QUIET_SECONDS = 3.0


@dataclass(frozen=True)
class BurstCost:
    """The rate of a burst and its cost for each job."""

    jobs_per_second: float  # until all statuses have settled
    pods_per_second: float
    operator_milliseconds: float
    api_server_milliseconds: float
    writes: float
    memory: float  # MiB, after the burst


@dataclass(frozen=True)
class HeartbeatCost:
    """The cost of one heartbeat in milliseconds of CPU time, without what the idle cluster needs."""

    operator_milliseconds: float
    api_server_milliseconds: float


@dataclass(frozen=True)
class Latency:
    """The seconds from before the creation of a job until its pod is seen."""

    p50: float
    p99: float


class _Cpu:
    """The CPU seconds of the operator and of the API server since a moment."""

    def __init__(self, process: pod.Process, cluster: SimulatedCluster) -> None:
        self._process, self._server = process, cluster.api_server
        self._start = self._now()

    def _now(self) -> tuple[float, float]:
        return self._process.cpu_seconds, self._server.cpu_seconds

    def used(self) -> tuple[float, float]:
        """Return the seconds of the operator and of the API server."""
        (operator, server), (operator_before, server_before) = self._now(), self._start
        return operator - operator_before, server - server_before


async def burst(operator: str, folder: Path, jobs: int, stream: bool = False) -> BurstCost:
    """Create jobs at once; with `stream`, each pod that runs reports that it streams."""
    async with _operator_on_cluster(operator, folder) as (cluster, process):
        cpu = _Cpu(process, cluster)
        found = await cluster.run(
            "burst", f"--jobs={jobs}", f"--stream={str(stream).lower()}", f"--quiet={_QUIET_SECONDS}s"
        )
        used, server_used = cpu.used()
        return BurstCost(
            jobs_per_second=jobs / found.settled_seconds,
            pods_per_second=jobs / found.pods_seconds,
            operator_milliseconds=1000 * used / jobs,
            api_server_milliseconds=1000 * server_used / jobs,
            writes=found.writes / jobs,
            memory=process.memory("VmRSS"),
        )


async def heartbeat(operator: str, folder: Path, symbols: int, count: int) -> HeartbeatCost:
    """Write heartbeats for 20 jobs that stream, of which each has `symbols` symbols."""
    async with _operator_on_cluster(operator, folder) as (cluster, process):
        await cluster.run("burst", "--jobs=20", f"--symbols={symbols}", "--stream", f"--quiet={_QUIET_SECONDS}s")
        idle = _Cpu(process, cluster)
        await asyncio.sleep(_IDLE_SECONDS)
        idle_shares = [each / _IDLE_SECONDS for each in idle.used()]
        cpu = _Cpu(process, cluster)
        found = await cluster.run("heartbeat", f"--count={count}", f"--rate={_HEARTBEATS_PER_SECOND}")
        await asyncio.sleep(1)
        seconds = found.settled_seconds + 1
        costs = [1000 * (each - seconds * idle) / count for each, idle in zip(cpu.used(), idle_shares, strict=True)]
        return HeartbeatCost(*costs)


async def paced(operator: str, folder: Path, jobs: int) -> Latency:
    """Create 20 jobs a second."""
    async with _operator_on_cluster(operator, folder) as (cluster, _):
        found = await cluster.run("burst", f"--jobs={jobs}", "--rate=20", f"--quiet={_QUIET_SECONDS}s")
        return Latency(*percentiles(found))


def percentiles(found: BurstFigures) -> tuple[float, float]:
    """Return the median and the 99th percentile of the latencies."""
    cuts = quantiles(found.latencies, n=100, method="inclusive")
    return cuts[49], cuts[98]


@asynccontextmanager
async def _operator_on_cluster(operator: str, folder: Path) -> AsyncIterator[tuple[SimulatedCluster, pod.Process]]:
    """Run an operator that leads on a cluster of its own."""
    async with simulated_cluster(folder) as cluster, leading(operator, cluster, folder / "operator.log") as process:
        await _wait_until_idle(cluster)
        yield cluster, process


async def _wait_until_idle(cluster: SimulatedCluster) -> None:
    """Wait until the new API server and its controllers have finished what they do at their start."""

    async def is_idle() -> bool:
        before = cluster.api_server.cpu_seconds
        await asyncio.sleep(1)
        return cluster.api_server.cpu_seconds - before < _IDLE_SHARE

    await eventually(is_idle, _IDLE_PATIENCE_SECONDS)
