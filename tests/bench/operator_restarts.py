"""What `operator_cost` measures of our operator alone: starts with many jobs, restarts, failover, and an outage."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from bench import pod
from bench.operator_contenders import OURS, Replica, leading, replica_of, running, wait_until_leading
from bench.operator_nodes import BurstFigures, SimulatedCluster, simulated_cluster
from support.eventually import eventually

_JOBS = 20
_AFTER_START_SECONDS = 30.0
_PATIENCE_SECONDS = 180.0
_RESTART_SECONDS = 1.0  # a kubelet's first backoff is shorter than the time in which a process starts


@dataclass(frozen=True)
class Start:
    """A start with many jobs and pods."""

    ready_seconds: float  # until it leads
    memory: float  # MiB, the most in the first 30 s after that
    writes: int  # of statuses and pods


@dataclass(frozen=True)
class Takeover:
    """The seconds from a kill of the leader until a new job has a pod, and how many other pods changed."""

    seconds: float
    touched: int


@dataclass(frozen=True)
class Outage:
    """An outage of the API server: the leader's exits, the pods that changed, and the seconds until a job has a pod."""

    exits: int
    touched: int
    converged_seconds: float


async def start(folder: Path, jobs: int) -> Start:
    """Let the operator create the pods of the jobs, end it, and start it again."""
    async with simulated_cluster(folder) as cluster:
        async with leading(OURS, cluster, folder / "first.log"):
            await cluster.run("burst", f"--jobs={jobs}", "--limit=30m", "--quiet=10s", seconds=1800)
        found: list[BurstFigures] = []
        async with cluster.observed(found):
            replica, began = replica_of(OURS, cluster), time.monotonic()
            async with running(replica, folder / "second.log") as process:
                await wait_until_leading(replica, cluster, _PATIENCE_SECONDS)
                ready = time.monotonic() - began
                await asyncio.sleep(_AFTER_START_SECONDS)
                memory = process.memory("VmHWM")
        # The watches have shown each pod once as listed.
        return Start(ready, memory, found[0].writes + found[0].pods - jobs + found[0].deleted)


async def restart(folder: Path) -> Takeover:
    """Kill the only replica, and start its container again in the same pod."""
    async with simulated_cluster(folder) as cluster:
        async with leading(OURS, cluster, folder / "first.log") as process:
            await cluster.run("burst", f"--jobs={_JOBS}")
            began = _kill(process)
        async with running(replica_of(OURS, cluster), folder / "second.log"):
            return await _takeover(cluster, began)


async def failover(folder: Path) -> Takeover:
    """Kill the leader of two replicas."""
    async with simulated_cluster(folder) as cluster:
        standby = replica_of(OURS, cluster, 2)
        async with leading(OURS, cluster, folder / "leader.log") as leader, running(standby, folder / "standby.log"):
            await wait_until_leading(standby, cluster)  # it is ready: the other one still leads
            await cluster.run("burst", f"--jobs={_JOBS}")
            return await _takeover(cluster, _kill(leader))


def _kill(process: pod.Process) -> float:
    process.send_signal(signal.SIGKILL)
    return time.monotonic()


async def _takeover(cluster: SimulatedCluster, began: float) -> Takeover:
    found: list[BurstFigures] = []
    async with cluster.observed(found):
        await cluster.create_job("after")
        await cluster.wait_for_pod("after", _PATIENCE_SECONDS)
        seconds = time.monotonic() - began
        await asyncio.sleep(2)
    return Takeover(seconds, _touched(found[0], _JOBS + 1))


def _touched(found: BurstFigures, expected: int) -> int:
    """Return how many pods were created or deleted besides those that were expected."""
    return abs(found.pods - expected) + found.deleted


async def outage(folder: Path, seconds: float) -> Outage:
    """Stop the API server for some time. The operator's container restarts when it exits, as a kubelet does it."""
    async with simulated_cluster(folder) as cluster:
        replica = replica_of(OURS, cluster)
        exits: list[int] = []
        supervisor = asyncio.create_task(_restart_forever(replica, folder, exits))
        try:
            await wait_until_leading(replica, cluster)
            await cluster.run("burst", f"--jobs={_JOBS}")
            cluster.stop_api_server()
            await asyncio.sleep(seconds)
            await cluster.restart_api_server()
            began, found = time.monotonic(), list[BurstFigures]()
            async with cluster.observed(found):
                await cluster.create_job("after")
                await cluster.wait_for_pod("after", _PATIENCE_SECONDS)
                converged = time.monotonic() - began
                await asyncio.sleep(5)
        finally:
            supervisor.cancel()
            await asyncio.gather(supervisor, return_exceptions=True)
        return Outage(len(exits), _touched(found[0], _JOBS + 1), converged)


async def _restart_forever(replica: Replica, folder: Path, exits: list[int]) -> None:
    while True:
        async with running(replica, folder / f"operator-{len(exits)}.log") as process:
            await eventually(lambda: not process.is_running, 86_400)
        exits.append(1)
        await asyncio.sleep(_RESTART_SECONDS)
