"""The time from the creation of one ClusterIngestPause until the sockets of a whole fleet are closed.

Each pod is the only one of its tenant, and receives one quote a second: all pods, their API server, their provider and
their database share the cores of one machine, which must not be the limit. So each pause waits until the start of the
pods, or their connections after the pause before, no longer use most of its CPU time. No operator runs: the pods watch
the pauses themselves. All times, also those of the watch alone, begin before the request is sent, by a client that has
a connection to the API server.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.api_server_process import ApiServerProcess
from bench.machine_load import wait_for_idle_time
from bench.pause_objects import KINDS, KindOfPause, pause_document
from bench.rows import Row
from bench.watch_events import Watcher, running_watcher
from sluice_devcluster.api import ApiClient
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.cluster import sluice_on_devcluster
from support.operator_replicas import stop_operator
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream

PODS = 50
ROUNDS = 3
MOST_SECONDS = 1.0
_KIND: KindOfPause = KINDS["ClusterIngestPause"]
_STARTED_AT_ONCE = 10  # a pod's start takes most of a second of CPU time
_PATIENCE_SECONDS = 300.0
_LEAST_IDLE_SHARE = 0.4
# Meanwhile nothing is asked of the provider, because an answer would delay it.
_QUIET_SECONDS = 2.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class FleetPause:
    """One pause. Times are seconds since the request to create it was sent.

    `cpu` is the CPU time of the API server meanwhile, in seconds.
    """

    seen: float  # by the watch alone
    closed: list[float]
    cpu: float


@dataclass(frozen=True)
class _Fleet:
    """The provider of all pods, their number, and their API server."""

    provider: Upstream
    pods: int
    server: ApiServerProcess


def rows(folder: Path, pods: int = PODS, rounds: int = ROUNDS) -> list[Row]:
    """Start `pods` pods, stop the operator, and pause all of them `rounds` times."""
    state = StateDirectory(folder / "devcluster")
    upstream = ("--connections", str(pods), "--quotes-per-second", str(pods), "--no-deflate")
    with sluice_on_devcluster(state.root) as site, Upstream(*upstream) as provider:
        _start_pods(site, provider, pods)
        stop_operator(site.kubectl)
        pauses = asyncio.run(_measured(state, provider, pods, rounds))
    return _found(pauses, pods)


def _start_pods(site: Quickstart, provider: Upstream, pods: int) -> None:
    """Declare a job of each tenant, some at a time, and wait until all stream."""
    for number in range(1, pods + 1):
        tenant = Tenant(site.kubectl, site.emulator, f"fleet-{number}")
        tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
        tenant.apply(symbols=["SPY", "AAPL"], limits=None, heartbeat=None, **streaming_from(provider))
        if number % _STARTED_AT_ONCE == 0 or number == pods:
            _wait_for_streams(provider, number)


def _wait_for_streams(provider: Upstream, count: int) -> None:
    def all_stream() -> bool:
        return sum(bool(each["subscription"]) for each in provider.open_connections) == count

    eventually(all_stream, _PATIENCE_SECONDS, every=0.5)


async def _measured(state: StateDirectory, provider: Upstream, pods: int, rounds: int) -> list[FleetPause]:
    settings = state.load_settings()
    assert settings is not None
    async with (
        ApiClient(settings.apiserver_port, state.pki, "admin") as api,
        running_watcher(state, _KIND.path) as watcher,
    ):
        fleet = _Fleet(provider, pods, ApiServerProcess(state))
        return [await _pause(fleet, api, watcher) for _ in range(rounds)]


async def _pause(fleet: _Fleet, api: ApiClient, watcher: Watcher) -> FleetPause:
    """Pause all pods with a new object, then delete the object and wait until all stream again."""
    name, provider = f"fleet-{next(_numbers)}", fleet.provider
    streamed = {each["id"] for each in provider.open_connections}
    await asyncio.to_thread(wait_for_idle_time, _LEAST_IDLE_SHARE, _PATIENCE_SECONDS)
    await api.get(_KIND.path)  # so that the connection is open
    cpu, asked = fleet.server.cpu_seconds, time.time()
    await api.post(_KIND.path, pause_document(_KIND, name))
    seen = await watcher.first(lambda each: each.name == name)
    await asyncio.sleep(_QUIET_SECONDS)
    cpu = fleet.server.cpu_seconds - cpu
    await asyncio.to_thread(eventually, lambda: not provider.open_connections, _PATIENCE_SECONDS)
    closed = [each["closed"] - asked for each in provider.record()["connections"] if each["id"] in streamed]
    await api.delete(f"{_KIND.path}/{name}", {})
    await asyncio.to_thread(_wait_for_streams, provider, fleet.pods)
    return FleetPause(seen=seen.at - asked, closed=closed, cpu=cpu)


def _found(pauses: list[FleetPause], pods: int) -> list[Row]:
    what, target = f"pause of {pods} pods", f"<= {MOST_SECONDS:g}"
    last = _compared(f"{what}: last socket closed, worst of {len(pauses)}", pauses, lambda each: max(each.closed))
    return [
        Row(**last, target=f"{target} s", met=last["ours"] <= MOST_SECONDS),
        Row(**_compared(f"{what}: median socket closed, worst of {len(pauses)}", pauses, lambda e: median(e.closed))),
        Row(
            name=f"{what}: last socket after the watch alone, median",
            unit="ms",
            ours=1e3 * median(max(each.closed) - each.seen for each in pauses),
        ),
        Row(
            name=f"{what}: API server, CPU of the event and all reports, per pod",
            unit="ms",
            ours=1e3 * median(each.cpu for each in pauses) / pods,
        ),
    ]


def _compared(name: str, pauses: list[FleetPause], seconds: Callable[[FleetPause], float]) -> dict[str, Any]:
    """Return the fields of a row: the worst round beside the watch alone in this round, and the median round."""
    worst = max(pauses, key=seconds)
    ours, peer = seconds(worst), worst.seen
    return {
        "name": name,
        "unit": "s",
        "ours": ours,
        "peer": peer,
        "ratio": ours / peer,
        "median": median(map(seconds, pauses)),
    }
