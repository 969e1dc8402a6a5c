"""The time from the creation of a pause object to the closed socket, for each kind, beside a watch of that kind."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from bench.feed import JOB, TENANT, Feed, running_feed
from bench.latencies import latency_rows
from bench.rows import Row
from sluice_contract import identity
from sluice_devcluster.api import ApiClient
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.phases import PHASES

ROUNDS = 25  # of each kind
_API = f"/apis/{identity.API_VERSION}"
_NAMESPACED = f"{_API}/namespaces/{TENANT}/{identity.PAUSES}"
_OF_CLUSTER = f"{_API}/{identity.CLUSTER_PAUSES}"
_SETTLED_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class KindOfPause:
    """A kind of pause object: its path, its kind, and the part of its spec that selects the jobs."""

    path: str
    kind: str
    spec: dict[str, Any]


KINDS = {
    "IngestPause by name": KindOfPause(_NAMESPACED, identity.PAUSE_KIND, {"jobs": [JOB]}),
    "IngestPause by selector": KindOfPause(_NAMESPACED, identity.PAUSE_KIND, {"jobSelector": {}}),
    "ClusterIngestPause": KindOfPause(_OF_CLUSTER, identity.CLUSTER_PAUSE_KIND, {}),
    "ClusterIngestPause of a feed": KindOfPause(
        _OF_CLUSTER, identity.CLUSTER_PAUSE_KIND, {"providers": [{"name": "alpaca", "feeds": ["iex"]}]}
    ),
}


@dataclass(frozen=True)
class ObjectInForce:
    """One pause. Times are seconds since the request to create it was sent."""

    seen: float  # by the watch alone
    closed: float


def rows(site: Quickstart, state: StateDirectory, rounds: int = ROUNDS) -> list[Row]:
    """Measure `rounds` pauses of each kind while the job streams at full load."""
    measured = asyncio.run(_measured(site, state, rounds))
    return [
        row
        for name, pauses in measured.items()
        for row in latency_rows(
            f"pause: {name} to socket closed", [each.closed for each in pauses], [each.seen for each in pauses]
        )
    ]


async def _measured(site: Quickstart, state: StateDirectory, rounds: int) -> dict[str, list[ObjectInForce]]:
    found: dict[str, list[ObjectInForce]] = {name: [] for name in KINDS}
    settings = state.load_settings()
    assert settings is not None
    async with running_feed(site, state) as feed, ApiClient(settings.apiserver_port, state.pki, "admin") as watcher:
        before = PHASES["Live"].entries(await feed.record())
        await feed.enable(True)
        await feed.until(lambda record: PHASES["Live"].entries(record) > before)
        for _ in range(rounds):
            for name, kind in KINDS.items():
                found[name].append(await _pause(feed, watcher, kind))
    return found


async def _pause(feed: Feed, watcher: ApiClient, kind: KindOfPause) -> ObjectInForce:
    """Pause the streaming job with a new object, then delete the object and wait until the job streams again."""
    name = f"bench-{next(_numbers)}"
    body = {
        "apiVersion": identity.API_VERSION,
        "kind": kind.kind,
        "metadata": {"name": name},
        "spec": {**kind.spec, "reason": "bench"},
    }
    watching = asyncio.create_task(first_event(watcher, kind.path, name))
    await asyncio.sleep(_SETTLED_SECONDS)
    asked = time.time()
    await feed.api.post(kind.path, body)
    record = await feed.until(lambda record: not record["open"])
    async with asyncio.timeout(_PATIENCE_SECONDS):
        seen = await watching
    # The output of the watcher of jobs has to be read: otherwise its process cannot end.
    await feed.watcher.first(lambda each: str(each.stream.get("pause", {}).get("source", "")).endswith(name))
    before = PHASES["Live"].entries(record)
    await feed.api.delete(f"{kind.path}/{name}", {})
    await feed.until(lambda record: PHASES["Live"].entries(record) > before)
    return ObjectInForce(seen=seen - asked, closed=record["connections"][-1]["closed"] - asked)


async def first_event(watcher: ApiClient, path: str, name: str) -> float:
    """Return the Unix seconds at which a watch has decoded the first event of the object."""
    async with aclosing(watcher.watch(path, {"fieldSelector": f"metadata.name={name}"})) as events:
        async for event in events:
            if event["type"] == "ADDED":
                return time.time()
    raise RuntimeError("the watch has ended before the pause was created")
