"""Namespaces whose tenant changes while jobs run in them."""

from __future__ import annotations

import pytest

from sluice_contract import conditions as c
from sluice_operator.domain import objects
from sluice_operator.domain.observation import NamespaceTenant
from sluice_operator.domain.tenant_checks import REREAD_SECONDS, tenant_change_message
from sluice_operator.ports import NotFound, RequestRefused, Unavailable
from support.odd_values import ODD_VALUES, label

from .world import KEY, SYNTHETIC, World, condition, declared, found, job_of, live

NAMESPACE, OWN = KEY[0], "acme"
PAUSED = SYNTHETIC | {"enabled": False}
RECREATED = SYNTHETIC | {"firestore": {"liveQuotesCollection": "other"}}  # needs another pod


async def changed(world: World, tenant: str | None) -> World:
    """Let a namespace with a running pod serve another tenant, or none, and let the operator notice it."""
    world.cluster.tenants[NAMESPACE] = OWN
    await live(world)
    world.cluster.tenants.pop(NAMESPACE)
    if tenant is not None:
        world.cluster.tenants[NAMESPACE] = tenant
    world.seconds += 300
    world.dirty.add(KEY)  # as a resync does
    await world.streams()
    return world


def stalled(world: World) -> str:
    """Return the message of a job that is stalled because its tenant has changed."""
    assert condition(world.job.status, c.STALLED) == ("True", c.TENANT_CHANGED)
    condition_found = found(world.job.status, c.STALLED)
    assert condition_found is not None
    return condition_found.message


@pytest.mark.parametrize("tenant", ["globex", "", None])
async def test_a_running_pod_continues_when_its_namespace_changes_hands(world: World, tenant: str | None) -> None:
    await changed(world, tenant)
    pod = world.pod.metadata.uid
    await world.advance(600)
    assert world.pod.metadata.uid == pod
    assert ("serves no tenant any more" if tenant is None else f"now serves tenant {tenant}") in stalled(world)
    assert "belongs to tenant acme" in stalled(world)
    assert world.job.status.phase == "Degraded"
    assert condition(world.job.status, c.STREAMING) == ("True", c.STREAMING_REASON)


async def test_no_new_pod_is_created_in_a_namespace_of_another_tenant(world: World) -> None:
    await changed(world, "globex")
    world.cluster.finish(KEY)
    await world.settle()
    await world.advance(3600)
    assert world.cluster.pods == {}
    assert "create one for tenant globex" in stalled(world)
    assert world.job.status.phase == "Failed"


async def test_no_pod_is_replaced_in_a_namespace_of_another_tenant(world: World) -> None:
    await changed(world, "globex")
    pod = world.pod.metadata.uid
    await declared(world, RECREATED)
    await world.advance(600)
    assert world.pod.metadata.uid == pod


async def test_a_new_job_in_a_namespace_of_another_tenant_gets_neither_account_nor_pod(world: World) -> None:
    world.cluster.tenants[NAMESPACE] = "globex"
    await declared(world)
    assert (world.cluster.pods, world.cluster.accounts) == ({}, set())
    assert "Namespace acme now serves tenant globex" in stalled(world)


async def test_a_job_gets_its_pod_within_half_a_minute_after_the_label_is_corrected(world: World) -> None:
    world.cluster.tenants[NAMESPACE] = "globex"
    await declared(world)
    world.cluster.tenants[NAMESPACE] = OWN
    await world.advance(REREAD_SECONDS + 1)
    assert len(world.cluster.pods) == 1
    assert condition(world.job.status, c.STALLED) == ("", "")


async def test_every_job_of_the_namespace_is_stalled_at_once(world: World) -> None:
    other = (NAMESPACE, "other")
    world.cluster.declare(other, SYNTHETIC | {"symbols": ["X"], "heartbeat": {"document": "x"}}, uid="job-2")
    await changed(world, "globex")
    await world.settle()
    status = objects.decode_job(world.cluster.jobs[other]).status
    assert condition(status, c.STALLED) == ("True", c.TENANT_CHANGED)


async def test_a_stop_takes_effect_in_a_namespace_of_another_tenant(world: World) -> None:
    await changed(world, "globex")
    await declared(world, PAUSED)
    await world.advance(16)
    assert world.pod.metadata.deletion_timestamp is not None  # the fake pod never confirms the stop
    world.cluster.finish(KEY)
    await world.settle()
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    world.cluster.remove(KEY)
    await world.settle()
    assert world.cluster.pods == {}


async def test_a_namespace_that_never_had_the_label_serves_every_tenant(world: World) -> None:
    await live(world)
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_a_namespace_is_read_once_in_four_minutes_while_nothing_is_created(world: World) -> None:
    await live(world)
    for _ in range(100):
        world.seconds += 12
        world.dirty.add(KEY)
        await world.streams()
    assert world.cluster.reads_of_namespaces == [NAMESPACE] * 6


@pytest.mark.parametrize("error", [RequestRefused("namespaces is forbidden"), NotFound("gone"), Unavailable("away")])
async def test_a_namespace_that_cannot_be_read_changes_nothing(world: World, error: Exception) -> None:
    world.cluster.tenants[NAMESPACE] = OWN
    await live(world)
    world.cluster.namespace_refusal = error
    world.seconds += 300
    world.dirty.add(KEY)
    await world.streams()
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_an_operator_without_the_right_to_read_namespaces_creates_pods(world: World) -> None:
    world.cluster.namespace_refusal = RequestRefused("namespaces is forbidden")
    await live(world)
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_a_pod_is_created_only_after_its_namespace_was_read(world: World) -> None:
    world.cluster.namespace_refusal = Unavailable("away")
    with pytest.raises(Unavailable):
        await declared(world)
    assert world.cluster.pods == {}


async def test_a_refused_pod_is_explained_by_a_change_of_the_label_since_the_last_read(world: World) -> None:
    world.cluster.tenants[NAMESPACE] = OWN
    await live(world)
    world.seconds += 300
    world.dirty.add(KEY)
    await world.streams()  # the label is read
    world.cluster.tenants[NAMESPACE] = "globex"
    world.cluster.refusal = "policy sluice-pod-shape: the tenant of the pod is not the tenant of its namespace"
    world.seconds += 5
    world.cluster.finish(KEY)
    await world.settle()
    assert "now serves tenant globex" in stalled(world)
    world.cluster.tenants[NAMESPACE] = OWN
    world.cluster.refusal = ""
    await world.advance(REREAD_SECONDS + 1)
    assert list(world.cluster.pods) == [(NAMESPACE, f"{KEY[1]}-ingest")]


async def test_records_of_namespaces_without_jobs_are_removed(world: World) -> None:
    for number in range(150):
        key = (f"space-{number}", "us")
        world.cluster.declare(key, SYNTHETIC, uid=f"job-{number}")
        await world.settle()
        world.cluster.remove(key)
        await world.settle()
    assert len(world.store.tenants) <= 102


@pytest.mark.parametrize("value", ODD_VALUES, ids=label)
def test_an_odd_namespace_is_read_as_a_namespace_without_the_label(value: object) -> None:
    for document in (
        {"metadata": value}, {"metadata": {"labels": value}}, {"metadata": {"labels": {"sluice.dev/tenant": value}}}
    ):  # fmt: skip
        read = objects.decode_tenant_label(document)
        assert read is None or read is value


def test_a_message_has_both_tenants_and_what_to_do() -> None:
    job = job_of(SYNTHETIC)
    assert tenant_change_message(job, None) == ""
    assert tenant_change_message(job, NamespaceTenant("acme", True)) == ""
    assert tenant_change_message(job, NamespaceTenant(None, False)) == ""
    assert tenant_change_message(job, NamespaceTenant(None, True)) == (
        "Namespace acme serves no tenant any more, because its label sluice.dev/tenant was removed, and this job "
        "belongs to tenant acme. The operator creates no pod; a running pod continues until you stop it. If the "
        "change is intended, delete this job; otherwise ask a cluster administrator to run kubectl label namespace "
        "acme sluice.dev/tenant=acme --overwrite."
    )
    assert "create one for tenant globex; otherwise" in tenant_change_message(job, NamespaceTenant("globex", True))
