"""What 1,000 watchers of both kinds of pauses cost the API server, and when the last of them sees a pause."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

from bench.api_server_process import KIB, ApiServerProcess
from bench.latencies import percentile
from bench.rows import Row
from sluice_contract import identity
from sluice_devcluster.api import ApiClient
from sluice_devcluster.layout import StateDirectory
from support.cluster import cluster_without_operator

WATCHERS = 1000
_API = f"/apis/{identity.API_VERSION}"
_OF_CLUSTER = f"{_API}/{identity.CLUSTER_PAUSES}"
_NAMESPACED = f"{_API}/namespaces/default/{identity.PAUSES}"
_IDLE_SECONDS = 5.0
_AT_ONCE = 50  # TLS handshakes


class Watchers:
    """Watches that are open at the same time, and when each has decoded an event."""

    def __init__(self, api: ApiClient, path: str, resource_version: str) -> None:
        """Each watch continues at `resource_version`, so the API server answers it at once."""
        self._api = api
        self._path = path
        self._since = resource_version
        self._handshakes = asyncio.Semaphore(_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []
        self.seen: list[float] = []
        self.all_seen = asyncio.Event()

    async def open(self, count: int) -> None:
        """Open the watches, some at a time."""
        for _ in range(count):
            self._tasks.append(asyncio.create_task(self._watch(count)))
            if len(self._tasks) % _AT_ONCE == 0:
                await asyncio.sleep(0.25)

    def close(self) -> None:
        """Close all watches."""
        for each in self._tasks:
            each.cancel()

    async def _watch(self, count: int) -> None:
        async with aclosing(self._api.watch(self._path, {"resourceVersion": self._since})) as events:
            async for event in events:
                if event["type"] == "ADDED":
                    self.seen.append(time.monotonic())
                    if len(self.seen) == count:
                        self.all_seen.set()


def rows(folder: Path, count: int = WATCHERS) -> list[Row]:
    """Open `count` watches of each kind, then create one ClusterIngestPause."""
    with cluster_without_operator(folder / "watchers") as state:
        return asyncio.run(_measured(state, count))


async def _measured(state: StateDirectory, count: int) -> list[Row]:
    settings = state.load_settings()
    assert settings is not None
    server = ApiServerProcess(state)
    async with (
        ApiClient(settings.apiserver_port, state.pki, "admin") as api,
        ApiClient(settings.apiserver_port, state.pki, "admin") as writer,
    ):
        version = (await writer.get(_OF_CLUSTER))["metadata"]["resourceVersion"]
        found, watchers = [], []
        for name, path in (("ClusterIngestPauses", _OF_CLUSTER), ("IngestPauses", _NAMESPACED)):
            before = await _memory_at_rest(server)
            watching = Watchers(api, path, version)
            await watching.open(count)
            added = await _memory_at_rest(server) - before
            watchers.append(watching)
            found.append(
                Row(
                    name=f"pause: API server, a watch of {name}, of {count}",
                    unit="KiB",
                    ours=added / KIB / count,
                )
            )
        cpu, asked = server.cpu_seconds, time.monotonic()
        spec = {"reason": "bench"}
        body = {"apiVersion": identity.API_VERSION, "kind": identity.CLUSTER_PAUSE_KIND, "metadata": {"name": "fleet"}}
        await writer.post(_OF_CLUSTER, body | {"spec": spec})
        async with asyncio.timeout(60):
            await watchers[0].all_seen.wait()
        times = [at - asked for at in watchers[0].seen]
        found += [
            Row(name=f"pause: create to event, p50 of {count} watches", unit="ms", ours=percentile(times, 50) * 1e3),
            Row(name=f"pause: create to event, last of {count} watches", unit="ms", ours=max(times) * 1e3),
            Row(name="pause: API server, CPU of this event", unit="ms", ours=(server.cpu_seconds - cpu) * 1e3),
        ]
        for each in watchers:
            each.close()
        return found


async def _memory_at_rest(server: ApiServerProcess) -> int:
    """Return the resident memory in bytes after some seconds without requests."""
    await asyncio.sleep(_IDLE_SECONDS)
    return server.memory_bytes
