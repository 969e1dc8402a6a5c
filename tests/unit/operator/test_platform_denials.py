"""A job that asks for what the platform does not allow: no new pod, and a running pod continues. The API is a fake."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_contract.status import Condition
from sluice_operator.domain import workload
from sluice_operator.domain.platform_bounds import PlatformBounds
from sluice_operator.domain.pod_bounds import PodBounds
from sluice_operator.domain.provider_hosts import parse_provider_hosts
from sluice_operator.domain.workload import PodSettings

from .fakes import Document
from .world import KEY, PODS, SYNTHETIC, World, condition, declared, found, job_of, live, pause

DENIED: Document = SYNTHETIC | {"pod": {"priorityClassName": "system-node-critical"}}
ALPACA: Document = {
    "tenant": "acme",
    "provider": "alpaca",
    "symbols": ["SPY"],
    "alpaca": {"credentialsSecretRef": {"name": "alpaca"}, "streamURL": "ws://evil.example/v2/iex"},
}
ALLOWING = msgspec.structs.replace(PODS, bounds=PlatformBounds(pod=PodBounds(priority_classes=("*",))))


def restart_operator(world: World, pods: PodSettings) -> None:
    """Start a new operator process with other settings."""
    world.start()
    world.reconciler._pods = pods


def words(world: World, kind: str = c.STALLED) -> str:
    """Return the message of a condition."""
    it = found(world.job.status, kind)
    assert isinstance(it, Condition)
    return it.message


def has_pod(world: World) -> bool:
    return (KEY[0], KEY[1] + "-ingest") in world.cluster.pods


async def change(world: World, **spec: Any) -> None:
    """Change fields of the job's spec."""
    world.cluster.declare(KEY, world.cluster.jobs[KEY]["spec"] | spec)
    await world.settle()


@pytest.mark.parametrize("spec", [DENIED, ALPACA], ids=["spec.pod", "host"])
async def test_a_denied_job_stalls_without_a_pod_and_says_what_to_do(world: World, spec: Document) -> None:
    await declared(world, spec)
    assert not has_pod(world)
    assert condition(world.job.status, c.STALLED) == ("True", c.POLICY_DENIED)
    assert (world.ready, world.job.status.phase) == (("False", c.POLICY_DENIED), "Failed")
    assert "ask the administrator of the platform to add" in words(world)
    assert words(world).endswith("No pod is created.")
    assert [each.transition.warning for each in world.recorder.reports] == [True]
    await world.advance(600)
    assert [each.transition.condition.reason for each in world.recorder.reports] == [c.POLICY_DENIED]
    assert world.cluster.writes == ["status"]


async def test_a_corrected_job_gets_its_pod(world: World) -> None:
    await declared(world, DENIED)
    await change(world, pod={})
    assert has_pod(world)
    assert condition(world.job.status, c.STALLED) == ("", "")


async def test_a_platform_that_allows_the_value_lets_the_job_start(world: World) -> None:
    await declared(world, DENIED)
    restart_operator(world, ALLOWING)
    await world.settle()
    assert has_pod(world)


async def test_a_running_pod_continues_when_its_job_asks_for_a_denied_value(world: World) -> None:
    await live(world)
    uid = world.pod.metadata.uid
    await change(world, pod=DENIED["pod"])
    await world.streams()
    assert world.pod.metadata.uid == uid
    assert "delete pod" not in world.cluster.writes
    assert condition(world.job.status, c.STALLED) == ("True", c.POLICY_DENIED)
    assert condition(world.job.status, c.STREAMING) == ("True", c.STREAMING_REASON)
    assert world.job.status.phase == "Degraded"
    assert words(world).endswith("The present pod continues with the spec that it was created with.")


async def test_a_running_pod_continues_when_the_platform_denies_its_value_later(world: World) -> None:
    world.reconciler._pods = ALLOWING
    world.cluster.bound = True
    await declared(world, DENIED)
    await world.streams()
    uid = world.pod.metadata.uid
    restart_operator(world, PODS)
    await world.settle()
    assert world.pod.metadata.uid == uid
    assert condition(world.job.status, c.STALLED) == ("True", c.POLICY_DENIED)


async def test_a_pod_of_a_denied_job_that_is_gone_is_not_created_again(world: World) -> None:
    await live(world)
    await change(world, pod=DENIED["pod"])
    world.cluster.finish(KEY)
    await world.settle()
    await world.advance(600)
    assert not has_pod(world)
    assert words(world).endswith("No pod is created.")


async def test_an_ended_pod_of_a_denied_job_is_deleted_and_not_created_again(world: World) -> None:
    await live(world)
    await change(world, pod=DENIED["pod"])
    world.cluster.pod_is(KEY, phase="Failed", containerStatuses=[])
    await world.settle()
    world.cluster.finish(KEY)
    await world.settle()
    await world.advance(600)
    assert not has_pod(world)


@pytest.mark.parametrize("stop", [{"enabled": False}, {"pause": {"reason": "lunch"}}], ids=["enabled", "pause"])
async def test_a_denied_job_without_a_pod_is_shown_as_paused(world: World, stop: dict[str, Any]) -> None:
    await declared(world, DENIED)
    await change(world, **stop)
    assert not has_pod(world)
    assert (world.ready, world.job.status.phase) == (("True", c.PAUSED_REASON), "Paused")
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    assert condition(world.job.status, c.STALLED) == ("", "")
    await change(world, enabled=True, pause=None)
    assert condition(world.job.status, c.STALLED) == ("True", c.POLICY_DENIED)


async def test_a_running_pod_of_a_denied_job_confirms_a_pause_as_usual(world: World) -> None:
    await live(world)
    await change(world, pod=DENIED["pod"])
    await change(world, enabled=False)
    assert world.ready == ("False", c.PAUSING)
    await world.streams(**pause())
    assert (world.ready, world.job.status.phase) == (("True", c.PAUSED_REASON), "Paused")
    assert condition(world.job.status, c.PAUSED) == ("True", c.PAUSED_REASON)


async def test_a_pod_of_a_denied_job_that_does_not_obey_a_stop_is_deleted(world: World) -> None:
    await live(world)
    await change(world, pod=DENIED["pod"])
    await change(world, enabled=False)
    await world.advance(20)
    world.cluster.finish(KEY)
    await world.settle()
    assert not has_pod(world)
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


def test_the_bounds_of_the_platform_replace_no_pod() -> None:
    bounds = PlatformBounds(provider_hosts=parse_provider_hosts("a.example"))
    job, bounded = job_of(SYNTHETIC), msgspec.structs.replace(PODS, bounds=bounds)
    assert workload.cold_hash(job, PODS) == workload.cold_hash(job, bounded)
