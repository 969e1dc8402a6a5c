"""Jobs that IngestPolicies deny: no pod, and a running pod is stopped gracefully. The API is a fake."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract.policies import IngestPolicy
from sluice_operator.domain.policy_objects import PolicyObject, TenantNamespace

from .policies import policy, symbols
from .world import KEY, NOW, SYNTHETIC, World, condition, declared, found, live, pause

NO_PROVIDERS = policy(providers=[], message="Ask us.")


def set_policies(world: World, *policies: IngestPolicy) -> None:
    """Make these the only policies, in a cluster with one tenant."""
    objects = [PolicyObject(metadata=each.metadata, policy=each) for each in policies]
    world.store.policies.namespaces.replace_all([TenantNamespace(KEY[0], {"sluice.dev/tenant": KEY[0]})])
    world.store.policies.replace_all(objects)


def words(world: World, kind: str = c.STALLED) -> str:
    it = found(world.job.status, kind)
    assert it is not None
    return it.message


def has_pod(world: World) -> bool:
    return (KEY[0], KEY[1] + "-ingest") in world.cluster.pods


async def test_without_policies_a_job_has_no_policy_in_its_status(world: World) -> None:
    set_policies(world)
    await live(world)
    assert world.job.status.policy is None
    assert condition(world.job.status, c.POLICY_COMPLIANT) == ("", "")


async def test_a_denied_job_gets_no_pod_and_says_why(world: World) -> None:
    set_policies(world, NO_PROVIDERS)
    await declared(world)
    assert not has_pod(world)
    assert (world.ready, world.job.status.phase) == (("False", c.POLICY_DENIED), "Failed")
    assert condition(world.job.status, c.STALLED) == ("True", c.POLICY_DENIED)
    assert condition(world.job.status, c.POLICY_COMPLIANT) == ("False", c.POLICY_DENIED)
    denied = "IngestPolicy tenants does not allow provider synthetic: use one that it allows (none). Ask us."
    assert world.job.status.policy is not None
    assert (world.job.status.policy.names, world.job.status.policy.denied) == (["tenants"], denied)
    assert words(world) == f"No pod runs: {denied}"
    await world.advance(600)
    assert world.recorder.reasons == [c.POLICY_DENIED]
    assert world.cluster.writes == ["status"]


async def test_the_pod_of_a_denied_job_has_five_seconds_to_report_it(world: World) -> None:
    set_policies(world)
    await live(world)
    set_policies(world, NO_PROVIDERS)
    await world.settle()
    assert world.pod.metadata.deletion_timestamp is None
    assert words(world).startswith("The operator stops the pod: ")
    assert world.job.status.phase == "Failed"
    await world.advance(4.5)
    assert world.pod.metadata.deletion_timestamp is None
    await world.advance(1.5)
    assert world.pod.metadata.deletion_timestamp is not None


@pytest.mark.parametrize("report", [{"state": "Blocked"}, pause()], ids=["blocked", "paused"])
async def test_a_pod_that_has_closed_its_stream_is_deleted_at_once(world: World, report: dict[str, Any]) -> None:
    set_policies(world)
    await live(world)
    set_policies(world, NO_PROVIDERS)
    await world.settle()
    await world.streams(**report)
    assert world.pod.metadata.deletion_timestamp is not None
    world.cluster.finish(KEY)
    await world.settle()
    await world.advance(600)
    assert not has_pod(world)
    assert world.ready == ("False", c.POLICY_DENIED)


async def test_a_raised_bound_takes_effect_at_once(world: World) -> None:
    set_policies(world, NO_PROVIDERS)
    await declared(world)
    set_policies(world, policy(providers=[{"name": "synthetic"}]))
    await world.settle()
    assert has_pod(world)
    assert condition(world.job.status, c.STALLED) == ("", "")
    assert condition(world.job.status, c.POLICY_COMPLIANT) == ("True", c.COMPLIANT)
    set_policies(world)
    await world.settle()
    assert world.job.status.policy is None


async def test_a_denied_job_that_is_paused_names_the_denial_and_is_paused(world: World) -> None:
    set_policies(world, NO_PROVIDERS)
    await declared(world, SYNTHETIC | {"enabled": False})
    assert world.ready == ("False", c.POLICY_DENIED)
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


async def test_a_stop_of_a_denied_job_is_enforced_as_always(world: World) -> None:
    set_policies(world)
    await live(world)
    set_policies(world, NO_PROVIDERS)
    world.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
    await world.settle()
    await world.advance(20)
    assert world.pod.metadata.deletion_timestamp is not None


async def test_a_pod_of_another_owner_is_left_alone(world: World) -> None:
    set_policies(world, NO_PROVIDERS)
    foreign = {"metadata": {"namespace": KEY[0], "name": KEY[1] + "-ingest", "uid": "x"}, "spec": {}, "status": {}}
    world.cluster.pods[KEY[0], KEY[1] + "-ingest"] = foreign
    world.cluster.change("pods", foreign, change="ADDED")
    await declared(world)
    await world.advance(60)
    assert world.ready == ("False", c.POLICY_DENIED)
    assert has_pod(world)


@pytest.mark.parametrize("other", [None, {"names": ["mine"], "writesPerSecond": 500}], ids=["removed", "raised"])
async def test_what_another_writes_into_status_policy_is_overwritten(
    world: World, other: dict[str, Any] | None
) -> None:
    set_policies(world, policy(perJob={"writesPerSecond": 5}))
    await live(world)
    document = world.cluster.jobs[KEY]
    document["status"]["policy"] = other
    world.cluster.change("ingestjobs", document)
    await world.settle()
    assert world.job.status.policy is not None
    assert (world.job.status.policy.names, world.job.status.policy.writes_per_second) == (["tenants"], 5)


async def test_mode_warn_reports_and_does_nothing(world: World) -> None:
    set_policies(world, policy(mode="Warn", providers=[]))
    await live(world)
    assert world.ready == ("True", c.STREAMING_REASON)
    assert condition(world.job.status, c.POLICY_COMPLIANT) == ("False", c.POLICY_WARNED)
    assert words(world, c.POLICY_COMPLIANT).startswith("With mode Enforce, the job would have no pod: IngestPolicy")
    warned = [each.transition for each in world.recorder.reports if each.transition.condition.reason == c.POLICY_WARNED]
    assert [each.warning for each in warned] == [True]
    set_policies(world, policy(providers=[]))
    await world.settle()
    await world.advance(4.5)
    assert world.pod.metadata.deletion_timestamp is None
    await world.advance(1.5)
    assert world.pod.metadata.deletion_timestamp is not None


async def test_the_oldest_job_keeps_its_pod_and_the_newest_is_denied(world: World) -> None:
    set_policies(world, policy(perNamespace={"symbols": 3}))
    await live(world)
    newer = (KEY[0], "newer")
    world.cluster.declare(
        newer, SYNTHETIC | {"heartbeat": {"document": "n"}, "symbols": symbols(2)}, "j2", "2026-03-02T14:30:00Z"
    )
    await world.settle()
    assert world.ready == ("True", c.STREAMING_REASON)
    assert (KEY[0], "newer-ingest") not in world.cluster.pods
    assert world.cluster.jobs[newer]["status"]["policy"]["denied"].startswith("Together with 1 older job (us-equities)")
    world.cluster.declare(KEY, SYNTHETIC | {"symbols": ["SPY"]})
    await world.settle()
    assert (KEY[0], "newer-ingest") in world.cluster.pods
    world.cluster.declare(KEY, SYNTHETIC)
    await world.settle()
    assert "denied" in world.cluster.jobs[newer]["status"]["policy"]
    assert (KEY[0], KEY[1] + "-ingest") in world.cluster.pods


async def test_a_restarted_operator_that_has_read_no_policy_keeps_what_the_status_says(world: World) -> None:
    set_policies(world, NO_PROVIDERS)
    await declared(world)
    written = list(world.cluster.writes)
    world.start()
    await world.settle()
    assert not has_pod(world)
    assert world.cluster.writes == written
    set_policies(world)
    await world.settle()
    assert has_pod(world)


async def test_a_job_that_breaks_its_spec_does_not_escape_a_denial(world: World) -> None:
    set_policies(world)
    await live(world)
    set_policies(world, NO_PROVIDERS)
    world.cluster.declare(KEY, SYNTHETIC | {"symbols": "SPY"})
    await world.settle()
    await world.advance(6)
    assert world.pod.metadata.deletion_timestamp is not None


@pytest.mark.parametrize("bounds", [{"providers": []}, {"perNamespace": {"symbols": 1}}], ids=["denied", "quota"])
async def test_a_denied_job_takes_no_place_in_a_rollout(world: World, bounds: dict[str, Any]) -> None:
    """Its pod was replaced by a rollout, and a policy denies it before it is ready again."""
    set_policies(world)
    await live(world)
    record = {"cause": "Operator", "startedAt": NOW.isoformat(), "stateBefore": "Streaming"}
    document = world.cluster.jobs[KEY]
    world.cluster.change("ingestjobs", document, status=document["status"] | {"replacement": record})
    set_policies(world, policy(**bounds))
    await world.settle()
    assert world.ready[0] == "False"
    assert world.job.status.replacement is None
