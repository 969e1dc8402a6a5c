"""Two namespaces whose jobs use one key, with a fake cluster."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job, Key

from .world import KEY, NOW, RUNNING, SYNTHETIC, World, condition, found, said

FOREIGN: Key = ("rival", "feed")
HELD = {"acquired": True, "holder": "us", "keyDigest": "3f2a"}
REFUSED = {"state": "BackingOff", "failure": {"type": "connectionLimit", "message": "406", "at": NOW.isoformat()}}
SHARED = ("False", c.KEY_SHARED)


def job(world: World, key: Key) -> Job:
    """Return a job from the cluster."""
    return objects.decode_job(world.cluster.jobs[key])


def slot(world: World, key: Key) -> tuple[str, str]:
    """Return status and reason of the job's condition ConnectionSlotAcquired."""
    return condition(job(world, key).status, c.CONNECTION_SLOT_ACQUIRED)


async def reports(world: World, key: Key, **stream: Any) -> None:
    """Let the job's pod report."""
    pod = objects.decode_pod(world.cluster.pods[key[0], f"{key[1]}-ingest"])
    world.cluster.pod_is(key, **RUNNING)
    world.cluster.pod_says(key, said(pod.metadata.uid, 1) | stream)
    await world.settle()


@pytest.fixture
async def two(world: World) -> World:
    """Two jobs in two namespaces that hold the slots of their namespaces with one key; the second one is refused."""
    world.cluster.declare(KEY, SYNTHETIC)
    world.cluster.declare(FOREIGN, SYNTHETIC | {"tenant": "rival"}, "job-2")
    await world.settle()
    await reports(world, KEY, slot=HELD)
    await reports(world, FOREIGN, slot=HELD, **REFUSED)
    return world


async def test_both_jobs_say_that_another_namespace_uses_the_key_and_do_not_name_it(two: World) -> None:
    assert (slot(two, KEY), slot(two, FOREIGN)) == (SHARED, SHARED)
    for key, other in ((KEY, "rival"), (FOREIGN, "acme")):
        it = found(job(two, key).status, c.CONNECTION_SLOT_ACQUIRED)
        assert it is not None
        assert it.message.startswith("Another namespace uses this key.")
        assert other not in it.message


async def test_only_the_job_that_the_provider_refuses_is_not_ready(two: World) -> None:
    assert condition(job(two, KEY).status, c.READY) == ("True", c.STREAMING_REASON)
    assert condition(job(two, FOREIGN).status, c.READY) == SHARED
    assert job(two, FOREIGN).status.phase == "Degraded"


async def test_a_shared_key_deletes_no_pod_and_is_reported_with_a_warning(two: World) -> None:
    assert len(two.cluster.pods) == 2
    assert [
        each.transition.warning for each in two.recorder.reports if each.transition.condition.reason == c.KEY_SHARED
    ]


@pytest.mark.parametrize(
    "stream",
    [{"slot": HELD | {"keyDigest": "9b01"}}, {"slot": {"acquired": False, "holder": "other"}}, {}],
    ids=["another key", "waits for the slot", "paused"],
)
async def test_the_report_ends_when_the_other_namespace_does_not_use_the_key_any_more(
    two: World, stream: dict[str, Any]
) -> None:
    await reports(two, FOREIGN, **stream)
    assert slot(two, KEY) == ("True", c.SLOT_ACQUIRED)
    assert slot(two, FOREIGN) != SHARED


async def test_the_report_of_an_earlier_pod_claims_no_key(two: World) -> None:
    two.cluster.pod_says(FOREIGN, said("an earlier pod", 1) | {"slot": HELD})
    await two.settle()
    assert slot(two, KEY) == ("True", c.SLOT_ACQUIRED)


async def test_the_report_ends_with_the_job_of_the_other_namespace(two: World) -> None:
    two.cluster.remove(FOREIGN)
    await two.settle()
    assert slot(two, KEY) == ("True", c.SLOT_ACQUIRED)
