"""The operators that `operator_cost` compares: ours, a naive kopf operator, and one on controller-runtime."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench import pod
from bench.operator_nodes import SimulatedCluster
from support.cluster import BIN
from support.eventually import eventually

_FIRST_PORT = 18741
_START_SECONDS = 120.0
_OUR_LEASE = "sluice-operator"
OURS, NAIVE, GO = "sluice", "naive kopf", "controller-runtime"


@dataclass(frozen=True)
class Replica:
    """How one replica of an operator is started. `number` distinguishes replicas."""

    command: Sequence[str]
    environment: Mapping[str, str]
    health: str
    lease: str = ""  # its Lease; empty: there is none, or its health includes it


def replica_of(operator: str, cluster: SimulatedCluster, number: int = 1, uid: str = "") -> Replica:
    """Return how to start a replica of an operator. `uid` is that of its pod; empty: that of `number`."""
    port = _FIRST_PORT + number
    if operator == GO:
        address = f"127.0.0.1:{port}"
        command = [str(cluster.program), "operator", f"--probe={address}"]
        return Replica(command, cluster.environment, f"http://{address}/healthz")
    if operator == NAIVE:
        url = f"http://127.0.0.1:{port}/healthz"
        return Replica([sys.executable, "-m", "bench.naive_operator", url], cluster.environment, url)
    ours = {
        "POD_IP": "127.0.0.1",
        "POD_NAMESPACE": "default",
        "POD_NAME": f"operator-{number}",
        "POD_UID": uid or f"uid-{number}",
        "SLUICE_HTTP_PORT": str(port),
        # It uses the administrator's account, which no policy limits.
        "SLUICE_REQUIRE_POLICIES": "false",
    }
    command = [str(BIN / "sluice-operator")]
    # It is never ready, because its account is not limited. It requests the Lease once it has listed everything.
    return Replica(command, cluster.environment | ours, f"http://127.0.0.1:{port}/livez", _OUR_LEASE)


@asynccontextmanager
async def running(replica: Replica, log: Path) -> AsyncIterator[pod.Process]:
    """Run a replica until the end of the context, without waiting for it."""
    async with pod.program(replica.command, dict(replica.environment), log) as process:
        yield process


@asynccontextmanager
async def leading(operator: str, cluster: SimulatedCluster, log: Path) -> AsyncIterator[pod.Process]:
    """Run one replica, and wait until it leads."""
    replica = replica_of(operator, cluster)
    async with running(replica, log) as process:
        await wait_until_leading(replica, cluster)
        yield process


async def wait_until_leading(replica: Replica, cluster: SimulatedCluster, seconds: float = 25.0) -> None:
    """Wait until the replica is healthy, and its Lease has a holder if there is one. No other replica may run."""

    async def leads() -> bool:
        if not await _is_healthy(replica.health):
            return False
        return not replica.lease or bool(await cluster.lease_holder(replica.lease))

    await eventually(leads, seconds)


async def _is_healthy(url: str) -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
