"""Late, lost and refused responses: what the operator concludes from them, and what it does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_contract.status import IngestJobStatus
from sluice_operator import handlers
from sluice_operator.domain import facts
from sluice_operator.domain.objects import Job
from sluice_operator.ports import Conflict, InternalServerError, NotFound, Unavailable

from .fakes import Document
from .world import KEY, RUNNING, SYNTHETIC, World, condition, declared, found, live

WEBHOOK_IS_DOWN = 'Internal error occurred: failed calling webhook "pods.example.com": connection refused'
CRASHING = {  # is written at once
    "phase": "Running",
    "containerStatuses": [{"name": "ingest", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
}
REPLAY = SYNTHETIC | {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "tape"}}}}


async def passes_that_fail(world: World, error: type[Exception], times: int) -> None:
    """Reconcile the job some times; each pass raises the error."""
    for _ in range(times):
        with pytest.raises(error):
            await world.reconciler.reconcile(KEY)


def fails(world: World, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception) -> None:
    """Let a request of the operator fail."""

    async def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(world.cluster, method, fail)


async def test_a_webhook_that_is_down_is_reported_once_and_raises_no_epoch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.cluster.declare(KEY, SYNTHETIC)
    fails(world, monkeypatch, "create_pod", InternalServerError(WEBHOOK_IS_DOWN))
    await passes_that_fail(world, InternalServerError, 10)
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert (ready.reason, condition(world.job.status, c.STALLED)) == (c.POD_REJECTED, ("True", c.POD_REJECTED))
    assert WEBHOOK_IS_DOWN in ready.message
    assert "Restore the admission webhook pods.example.com" in ready.message
    assert world.cluster.writes == ["account", "status", "status"]
    assert world.job.status.epoch is None


async def test_a_name_that_is_taken_although_no_pod_is_found_is_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.cluster.declare(KEY, SYNTHETIC)
    fails(world, monkeypatch, "create_pod", Conflict("object is being deleted"))
    await passes_that_fail(world, Conflict, 3)
    assert world.ready == ("False", c.POD_REJECTED)
    assert "object is being deleted" in world.job.status.conditions[0].message


async def test_after_a_lost_response_the_status_has_the_epoch_of_the_pod(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.cluster.declare(KEY, SYNTHETIC)
    create = world.cluster.create_pod
    world.watching = False

    async def lose_response(manifest: Document) -> None:
        await create(manifest)
        raise Unavailable("the response was lost")

    monkeypatch.setattr(world.cluster, "create_pod", lose_response)
    await passes_that_fail(world, Unavailable, 1)
    monkeypatch.setattr(world.cluster, "create_pod", create)
    world.seconds += 1
    await world.settle()
    assert world.job.status.epoch == facts.pod_epoch(world.pod)
    assert world.cluster.writes.count("create") == 1


async def test_a_finished_replay_does_not_run_again_though_its_report_is_late(world: World) -> None:
    await declared(world, REPLAY)
    epoch = facts.pod_epoch(world.pod)
    beat = world.said()["heartbeat"] | {"epoch": epoch}
    await world.streams(heartbeat=beat)
    world.watching = False
    world.cluster.pod_says(KEY, world.said(state="Finished", heartbeat=beat))
    world.watching = True
    world.cluster.finish(KEY)  # the watch of pods is ahead of the watch of jobs
    await world.settle()
    assert (world.ready, world.cluster.writes.count("create")) == (("True", c.REPLAY_FINISHED), 1)


async def test_a_finished_replay_does_not_run_again_though_the_stored_epoch_is_ahead(world: World) -> None:
    await declared(world, REPLAY)
    beat = world.said()["heartbeat"] | {"epoch": facts.pod_epoch(world.pod)}
    await world.streams(state="Finished", heartbeat=beat)
    job = world.cluster.jobs[KEY]  # an earlier version of the operator has raised the epoch before a lost creation
    world.cluster.change("ingestjobs", job, status=job["status"] | {"epoch": beat["epoch"] + 5})
    world.cluster.finish(KEY)
    await world.settle()
    assert (world.ready, world.cluster.writes.count("create")) == (("True", c.REPLAY_FINISHED), 1)


async def test_the_status_of_a_deleted_job_does_not_reach_its_successor(world: World) -> None:
    await declared(world)
    old = world.job
    world.watching = False
    world.cluster.jobs.pop(KEY)
    world.cluster.declare(KEY, SYNTHETIC, uid="job-2")
    with pytest.raises(Conflict):
        await world.cluster.write_operator_status(old, IngestJobStatus(phase="Failed"))
    world.cluster.pod_is(KEY, **CRASHING)
    world.watching = True
    handlers.on_pod_event(world.store, "MODIFIED", world.cluster.pods[KEY[0], KEY[1] + "-ingest"])
    await world.reconciler.reconcile(KEY)
    assert "status" not in world.cluster.jobs[KEY]
    assert world.store.jobs.get(KEY) == world.job


async def test_a_stored_status_of_another_job_is_not_put_into_the_cache(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declared(world)
    write = world.cluster.write_operator_status

    async def answer_for_another_job(job: Job, status: IngestJobStatus) -> Job:
        stored = await write(job, status)
        return msgspec.structs.replace(stored, metadata=msgspec.structs.replace(stored.metadata, uid="job-2"))

    monkeypatch.setattr(world.cluster, "write_operator_status", answer_for_another_job)
    world.cluster.pod_is(KEY, **CRASHING)
    assert (await world.reconciler.reconcile(KEY)).requeue
    known = world.store.jobs.get(KEY)
    assert known is not None
    assert known.metadata.uid == "job-1"


async def test_a_late_write_does_not_lower_the_epoch(world: World) -> None:
    await declared(world)
    old = world.job
    world.cluster.pod_is(KEY, **CRASHING)
    await world.settle()
    epoch = world.job.status.epoch
    with pytest.raises(Conflict):
        await world.cluster.write_operator_status(old, msgspec.structs.replace(old.status, stream=None, epoch=1))
    assert world.job.status.epoch == epoch


async def test_a_foreign_running_pod_is_read_every_ten_seconds_only(world: World) -> None:
    foreign = {"name": "us-equities-ingest", "namespace": "acme", "uid": "theirs"}
    world.cluster.pods["acme", "us-equities-ingest"] = {"metadata": foreign, "spec": {}, "status": RUNNING}
    world.cluster.change("pods", world.cluster.pods["acme", "us-equities-ingest"], change="ADDED")
    await declared(world)
    await world.advance(100)
    before = world.passes
    await world.advance(60)
    assert world.passes - before <= 7


async def test_the_end_of_a_terminating_pod_that_the_watch_missed_is_found_in_ten_seconds(world: World) -> None:
    await live(world)
    await world.cluster.delete_pod(KEY, world.pod.metadata.uid, world.pod.metadata.resource_version)
    await world.settle()
    world.watching = False
    world.cluster.finish(KEY)
    world.watching = True
    await world.advance(10.1)
    assert world.cluster.writes.count("create") == 2


async def test_a_pod_that_terminates_for_long_is_read_at_growing_intervals(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(world)
    await world.cluster.delete_pod(KEY, world.pod.metadata.uid, world.pod.metadata.resource_version)
    await world.settle()
    reads, read = [], world.cluster.read_pod

    async def count(key: Any) -> Any:
        reads.append(round(world.seconds))
        return await read(key)

    monkeypatch.setattr(world.cluster, "read_pod", count)
    await world.advance(200)
    assert reads == [10, 30, 70, 130, 190]


async def test_a_kind_that_is_not_served_for_a_moment_deletes_no_pod(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(world)
    world.store.jobs.remove_if_same_uid(KEY, "job-1")
    fails(world, monkeypatch, "read_job", NotFound("the server could not find the requested resource"))
    await passes_that_fail(world, Unavailable, 2)
    assert not facts.pod_is_terminating(world.pod)


async def test_nothing_is_created_or_reported_in_a_namespace_that_is_being_deleted(world: World) -> None:
    world.cluster.refusal = "pods is forbidden: unable to create new content in acme because it is being terminated"
    for name in ("a", "b", "c"):
        spec = SYNTHETIC | {"symbols": [name.upper()], "heartbeat": {"document": name}}
        world.cluster.declare((KEY[0], name), spec, uid=name)
    await world.settle()
    assert world.cluster.writes == ["account"]
    await world.advance(300)
    assert world.cluster.writes == ["account"]
    world.cluster.refusal = ""
    for name in ("a", "b", "c"):
        world.cluster.remove((KEY[0], name))
    world.cluster.declare(KEY, SYNTHETIC)
    await world.settle()
    assert (world.cluster.writes.count("create"), world.ready) == (1, ("False", c.POD_PENDING))


async def test_a_pod_without_its_owner_is_replaced(world: World) -> None:
    await declared(world)
    pod = world.cluster.pods["acme", "us-equities-ingest"]
    uid = pod["metadata"]["uid"]
    del pod["metadata"]["ownerReferences"]
    world.cluster.change("pods", pod)
    await world.settle()
    assert world.pod.metadata.uid != uid
    assert world.pod.metadata.owner_references[0].name == KEY[1]
    assert identity.EPOCH_ANNOTATION in world.pod.metadata.annotations


async def test_a_pod_that_was_created_before_the_end_of_a_replay_was_known_is_deleted(world: World) -> None:
    await declared(world, REPLAY)
    beat = world.said()["heartbeat"] | {"epoch": facts.pod_epoch(world.pod)}
    finished = world.said(state="Finished", heartbeat=beat)
    world.cluster.finish(KEY)
    await world.settle()
    assert world.cluster.writes.count("create") == 2
    world.cluster.pod_says(KEY, finished)
    await world.settle()
    assert (world.cluster.pods, world.ready) == ({}, ("True", c.REPLAY_FINISHED))
