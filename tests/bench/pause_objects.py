"""The time from the creation of a pause object to the closed socket, for each kind, beside a watch of that kind."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Any

from bench.feed import JOB, TENANT, Feed, running_feed
from bench.latencies import latency_rows
from bench.rows import Row
from bench.watch_events import Watcher, WatchEvent, running_watcher
from sluice_contract import identity
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.phases import PHASES

ROUNDS = 15  # of each kind
_API = f"/apis/{identity.API_VERSION}"
_NAMESPACED = f"{_API}/namespaces/{TENANT}/{identity.PAUSES}"
_OF_CLUSTER = f"{_API}/{identity.CLUSTER_PAUSES}"
_SETTLED_SECONDS = 0.5
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
    async with (
        running_feed(site, state) as feed,
        running_watcher(state, _NAMESPACED) as of_namespace,
        running_watcher(state, _OF_CLUSTER) as of_cluster,
    ):
        watchers = {_NAMESPACED: of_namespace, _OF_CLUSTER: of_cluster}
        before = PHASES["Live"].entries(await feed.record())
        await feed.enable(True)
        await feed.until(lambda record: PHASES["Live"].entries(record) > before)
        for _ in range(rounds):
            for name, kind in KINDS.items():
                await asyncio.sleep(_SETTLED_SECONDS)
                found[name].append(await _pause(feed, watchers[kind.path], kind))
    return found


async def _pause(feed: Feed, watcher: Watcher, kind: KindOfPause) -> ObjectInForce:
    """Pause the streaming job with a new object, then delete the object and wait until the job streams again.

    The simulator is asked for its record only after the pause: it builds the record in its own event loop, which takes
    tens of milliseconds after many connections, and in which it would not notice that a socket is closed.
    """
    name = f"bench-{next(_numbers)}"
    asked = time.time()
    await feed.api.post(kind.path, pause_document(kind, name))
    seen = await watcher.first(lambda each: each.name == name)
    await feed.watcher.first(lambda each: _is_acknowledged(each, name))
    record = await feed.until(lambda record: not record["open"])
    before = PHASES["Live"].entries(record)
    await feed.api.delete(f"{kind.path}/{name}", {})
    await feed.until(lambda record: PHASES["Live"].entries(record) > before)
    return ObjectInForce(seen=seen.at - asked, closed=record["connections"][-1]["closed"] - asked)


def pause_document(kind: KindOfPause, name: str) -> dict[str, Any]:
    """Return a new pause object of this kind."""
    return {
        "apiVersion": identity.API_VERSION,
        "kind": kind.kind,
        "metadata": {"name": name},
        "spec": {**kind.spec, "reason": "bench"},
    }


def _is_acknowledged(seen: WatchEvent, name: str) -> bool:
    """Return whether the pod has reported that the pause object with this name is in effect."""
    pause = seen.stream.get("pause", {})
    return "acknowledgedAt" in pause and str(pause.get("source", "")).endswith(name)
