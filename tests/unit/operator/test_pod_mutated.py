"""A cluster that changes each pod of a job: the job is stalled after two pods, and the pod is tried again later."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract import identity

from .world import KEY, SYNTHETIC, World, condition, declared, found, live

COLD = SYNTHETIC | {"synthetic": {"seed": 7}}
HOT = SYNTHETIC | {"symbols": ["SPY"]}
WORDS = 'metadata.labels[app.kubernetes.io/managed-by] is "platform-team" instead of "sluice-operator".'


def relabel(pod: dict[str, Any]) -> None:
    """Change the label by which the operator finds its pods, as a policy engine does."""
    pod["metadata"]["labels"][identity.MANAGED_BY_LABEL] = "platform-team"


def remove_owner(pod: dict[str, Any]) -> None:
    """Remove the owner references."""
    del pod["metadata"]["ownerReferences"]


def pin_epoch(pod: dict[str, Any]) -> None:
    """Set the same epoch on each pod."""
    pod["metadata"]["annotations"][identity.EPOCH_ANNOTATION] = "1"


def change_arguments(pod: dict[str, Any]) -> None:
    """Change what the container runs."""
    pod["spec"]["containers"][0]["args"] = ["smoke"]


def creations(world: World) -> int:
    """Return how many pods were created."""
    return world.cluster.writes.count("create")


@pytest.mark.parametrize("webhook", [relabel, remove_owner, pin_epoch, change_arguments])
@pytest.mark.parametrize("bound", [False, True])
async def test_two_changed_pods_in_a_row_stall_the_job(world: World, webhook: Any, bound: bool) -> None:
    world.cluster.webhook, world.cluster.bound = webhook, bound
    await declared(world)
    for _ in range(3):
        if world.cluster.pods:
            world.cluster.finish(KEY)
            await world.settle()
        await world.advance(20)
    assert (condition(world.job.status, c.STALLED), creations(world)) == (("True", c.POD_MUTATED), 2)
    assert (world.ready, world.cluster.pods) == (("False", c.POD_MUTATED), {})


async def test_the_message_names_the_field_and_both_values_and_what_to_do(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    stalled = found(world.job.status, c.STALLED)
    assert stalled is not None
    assert WORDS in stalled.message
    assert stalled.message.endswith("The operator retries every 10 minutes.")
    assert "mutatingwebhookconfigurations" in stalled.message


async def test_one_changed_pod_is_replaced_without_a_delay(world: World) -> None:
    world.cluster.webhook = lambda pod: relabel(pod) if creations(world) == 1 else None
    await declared(world)
    assert (world.ready, creations(world)) == (("False", c.POD_PENDING), 2)
    assert c.POD_MUTATED not in world.recorder.reasons


async def test_the_pod_is_tried_again_every_ten_minutes_and_the_condition_stays(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    before = found(world.job.status, c.STALLED)
    await world.advance(599)
    assert creations(world) == 2
    await world.advance(3000)
    assert creations(world) == 2 + 5
    assert (found(world.job.status, c.STALLED), world.recorder.reasons.count(c.POD_MUTATED)) == (before, 1)


async def test_the_job_recovers_with_the_next_retry_after_the_webhook_is_gone(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    world.cluster.webhook = lambda _: None
    await world.advance(601)
    assert (world.ready, condition(world.job.status, c.STALLED)) == (("False", c.POD_PENDING), ("", ""))
    await world.streams()
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_a_spec_that_needs_another_pod_is_tried_at_once(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    await declared(world, COLD)
    assert (creations(world), condition(world.job.status, c.STALLED)) == (4, ("True", c.POD_MUTATED))
    world.cluster.webhook = lambda _: None
    await declared(world, SYNTHETIC)
    assert (creations(world), world.ready) == (5, ("False", c.POD_PENDING))


async def test_hot_fields_do_not_create_more_pods(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    for symbols in (["SPY"], ["AAPL"], ["MSFT"]):
        await declared(world, SYNTHETIC | {"symbols": symbols})
    assert (creations(world), condition(world.job.status, c.STALLED)) == (2, ("True", c.POD_MUTATED))


async def test_a_pause_is_confirmed_at_once_because_nothing_runs(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    await declared(world, SYNTHETIC | {"enabled": False})
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    assert condition(world.job.status, c.STALLED) == ("True", c.POD_MUTATED)


async def test_a_deleted_job_leaves_no_pod(world: World) -> None:
    world.cluster.webhook = change_arguments
    world.cluster.bound = True
    await declared(world)
    world.cluster.remove(KEY)
    await world.settle()
    world.cluster.finish(KEY)
    await world.settle()
    assert world.cluster.pods == {}
    assert creations(world) == 1


async def test_a_restarted_operator_creates_at_most_two_more_pods(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    world.start()
    await world.settle()
    await world.advance(300)
    assert (creations(world), condition(world.job.status, c.STALLED)) == (4, ("True", c.POD_MUTATED))


async def test_a_refused_retry_is_reported_and_retried_like_any_refusal(world: World) -> None:
    world.cluster.webhook = relabel
    await declared(world)
    world.cluster.refusal = "denied by a quota"
    await world.advance(601)
    assert condition(world.job.status, c.STALLED) == ("True", c.POD_REJECTED)
    writes = len(world.cluster.writes)
    await world.advance(50)
    assert len(world.cluster.writes) == writes


async def test_a_running_pod_is_never_compared_again(world: World) -> None:
    await live(world)
    world.cluster.webhook = relabel
    await declared(world, HOT)
    await world.streams()
    assert (world.ready, creations(world)) == (("True", c.STREAMING_REASON), 1)
