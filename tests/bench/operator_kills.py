"""A feed while all replicas of the operator are killed at once, again and again: what it loses."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from bench.feed import JOB, TENANT, Feed, running_feed
from bench.rows import Row
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import SYSTEM_NAMESPACE, Quickstart
from support.cluster import sluice_on_devcluster
from support.eventually import eventually
from support.processes import pod_process
from support.site import Tenant

ROUNDS = 5
_REPLICAS = 2
_SELECTOR = "app.kubernetes.io/name=sluice-operator"
_PATIENCE_SECONDS = 180.0


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Kill the operator `rounds` times under a feed of 5,000 quotes a second."""
    state = StateDirectory(folder / "devcluster")
    with sluice_on_devcluster(state.root) as site:
        return asyncio.run(_measured(site, state, rounds))


async def _measured(site: Quickstart, state: StateDirectory, rounds: int) -> list[Row]:
    async with running_feed(site, state) as feed:
        tenant = Tenant(site.kubectl, site.emulator, TENANT)
        await feed.enable(True)
        before = await _status_when_streaming(tenant)
        closed_before = await _closed_connections(feed)
        for _ in range(rounds):
            await _kill_operator(site)
        after = await _status_when_streaming(tenant)
        lost = await _closed_connections(feed) - closed_before
    gaps = sum(each not in before.get("gaps", []) for each in after.get("gaps", [])) + ("openGap" in after)
    is_same_process = before["heartbeat"]["sessionID"] == after["heartbeat"]["sessionID"]
    name = f"operator killed {rounds} times"
    return [
        _none(f"{name}: gaps of the feed", gaps),
        _none(f"{name}: connections lost", lost),
        _none(f"{name}: processes of the feed replaced", int(not is_same_process)),
    ]


async def _status_when_streaming(tenant: Tenant) -> dict[str, Any]:
    """Return the pod's part of the status once the operator reports that the job streams."""
    status = await asyncio.to_thread(tenant.settled, "Streaming", JOB, _PATIENCE_SECONDS)
    found: dict[str, Any] = status["stream"]
    return found


async def _closed_connections(feed: Feed) -> int:
    """Return how many connections the provider has seen end."""
    return sum(each["closed"] is not None for each in (await feed.record())["connections"])


async def _kill_operator(site: Quickstart) -> None:
    """Kill all replicas at once, replace their pods, and wait until the new ones are ready.

    The pods are replaced because their containers would restart after a backoff that doubles with each kill.
    """
    pods = await asyncio.to_thread(_operator_pods, site)
    for name in pods:
        os.kill(pod_process("sluice-operator", f"POD_NAME={name}"), signal.SIGKILL)
    await asyncio.to_thread(site.kubectl, "delete", "pod", "-n", SYSTEM_NAMESPACE, *pods, "--wait=false")

    async def are_back() -> bool:
        found = await asyncio.to_thread(_operator_pods, site)
        return not pods.keys() & found.keys() and list(found.values()) == [True] * _REPLICAS

    await eventually(are_back, _PATIENCE_SECONDS)


def _operator_pods(site: Quickstart) -> dict[str, bool]:
    """Return the names of the operator's pods, each with whether it is ready."""
    pods = site.kubectl.get("pods", "-n", SYSTEM_NAMESPACE, "-l", _SELECTOR)["items"]
    return {pod["metadata"]["name"]: _is_ready(pod) for pod in pods}


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


def _none(name: str, count: int) -> Row:
    return Row(name=name, unit="", ours=count, target="0", met=count == 0)
