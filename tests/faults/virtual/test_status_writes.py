"""The number of status writes of each transition: the states of a start may take up to four seconds in all."""

from __future__ import annotations

import asyncio

import pytest

from sluice_contract import conditions as c
from support import virtual_time
from unit.operator.fakes import Document
from unit.operator.world import KEY, RUNNING, SYNTHETIC, pause, said

from .test_storms import COLD, Rig

POD = (KEY[0], "us-equities-ingest")
CREATING: Document = {
    "phase": "Pending",
    "containerStatuses": [{"name": "ingest", "state": {"waiting": {"reason": "ContainerCreating"}}}],
}
MOST_OF_A_CREATION, MOST_OF_A_TRANSITION = 4, 3


async def _start_pod(rig: Rig, gap: float) -> None:
    """Let the new pod go through all states until it streams, with `gap` seconds before each."""
    await asyncio.sleep(gap)
    for status in ({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}, CREATING, RUNNING):
        await asyncio.sleep(gap)
        rig.cluster.pod_is(KEY, **status)
    await _connect(rig, gap)


async def _connect(rig: Rig, gap: float) -> None:
    uid, generation = rig.cluster.pods[POD]["metadata"]["uid"], rig.cluster.jobs[KEY]["metadata"]["generation"]
    for state in ("Connecting", "Authenticating", "Subscribing", "Live"):
        await asyncio.sleep(gap)
        rig.cluster.pod_says(KEY, said(uid, generation, virtual_time.now()) | {"state": state})
    await asyncio.sleep(10)
    assert rig.ready == ("True", c.STREAMING_REASON)


async def _delete_pod(rig: Rig) -> None:
    pod = await rig.cluster.read_pod(KEY)
    await rig.cluster.delete_pod(KEY, pod.metadata.uid, pod.metadata.resource_version)
    await _finish_pod(rig)


async def _finish_pod(rig: Rig) -> None:
    await asyncio.sleep(1.5)
    rig.cluster.finish(KEY)
    await virtual_time.settle()


def _status_writes(rig: Rig) -> int:
    """Return the number of status writes since the last call."""
    count = rig.cluster.writes.count("status")
    rig.cluster.writes.clear()
    return count


@pytest.mark.parametrize("gap", [0.01, 0.1, 0.3, 0.5])
async def test_no_transition_needs_more_status_writes_than_allowed(gap: float) -> None:
    async with Rig().running() as rig:
        rig.cluster.declare(KEY, SYNTHETIC)
        await _start_pod(rig, gap)
        assert _status_writes(rig) <= MOST_OF_A_CREATION
        rig.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
        uid = rig.cluster.pods[POD]["metadata"]["uid"]
        for acknowledged in (False, True):
            await asyncio.sleep(gap)
            rig.cluster.pod_says(KEY, said(uid, 2, virtual_time.now()) | pause(acknowledged=acknowledged))
        await asyncio.sleep(10)
        assert rig.ready == ("True", c.PAUSED_REASON)
        assert _status_writes(rig) <= MOST_OF_A_TRANSITION
        rig.cluster.declare(KEY, SYNTHETIC)
        await _connect(rig, gap)
        assert _status_writes(rig) <= MOST_OF_A_TRANSITION
        rig.cluster.declare(KEY, COLD)
        await _finish_pod(rig)
        await _start_pod(rig, gap)
        assert _status_writes(rig) <= MOST_OF_A_TRANSITION
        await _delete_pod(rig)
        await _start_pod(rig, gap)
        assert _status_writes(rig) <= MOST_OF_A_TRANSITION
