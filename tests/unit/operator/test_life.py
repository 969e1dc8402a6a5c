"""The life of a job from its declaration on, with a fake cluster."""

from __future__ import annotations

import pytest

from sluice_contract import conditions as c
from sluice_contract import identity

from .fakes import Crash
from .world import KEY, NOW, RUNNING, SYNTHETIC, World, condition, declared, live, pause

COLD = SYNTHETIC | {"synthetic": {"seed": 7}}
HOT = SYNTHETIC | {"symbols": ["SPY"]}
PAUSED = SYNTHETIC | {"enabled": False}


async def test_one_write_reports_the_created_pod_and_its_epoch(world: World) -> None:
    await declared(world)
    assert world.cluster.writes == ["account", "create", "status"]
    assert world.job.status.epoch == int(NOW.timestamp() * 1000)
    assert world.pod.metadata.annotations[identity.EPOCH_ANNOTATION] == str(world.job.status.epoch)


async def test_a_pod_that_reports_live_makes_the_job_ready(world: World) -> None:
    await live(world)
    assert world.ready == ("True", c.STREAMING_REASON)
    assert world.job.status.phase == "Running"


async def test_another_pass_over_a_settled_job_writes_nothing(world: World) -> None:
    await live(world)
    writes = len(world.cluster.writes)
    world.dirty.add(KEY)
    await world.settle()
    assert len(world.cluster.writes) == writes


async def test_a_restarted_operator_writes_nothing(world: World) -> None:
    await live(world)
    writes = len(world.cluster.writes)
    world.start()
    await world.settle()
    assert len(world.cluster.writes) == writes


async def test_heartbeats_alone_cause_no_write(world: World) -> None:
    await live(world)
    writes = len(world.cluster.writes)
    await world.advance(30)
    await world.streams()
    assert len(world.cluster.writes) == writes


async def test_a_changed_hot_field_keeps_the_pod(world: World) -> None:
    await live(world)
    uid = world.pod.metadata.uid
    await declared(world, HOT)
    assert world.ready == ("False", c.APPLYING_SPEC)
    await world.streams()
    assert (world.ready, world.pod.metadata.uid) == (("True", c.STREAMING_REASON), uid)


async def test_a_changed_cold_field_replaces_the_pod_when_the_old_one_is_gone(world: World) -> None:
    await live(world)
    epoch, uid = world.job.status.epoch, world.pod.metadata.uid
    await declared(world, COLD)
    assert world.ready == ("False", c.POD_REPLACING)
    assert world.pod.metadata.uid == uid
    assert world.pod.metadata.deletion_timestamp is not None
    world.cluster.finish(KEY)
    await world.settle()
    assert world.pod.metadata.uid != uid
    assert (world.job.status.epoch or 0) > (epoch or 0)


async def test_a_deleted_pod_is_replaced_only_when_its_object_is_gone(world: World) -> None:
    await live(world)
    await world.cluster.delete_pod(KEY, world.pod.metadata.uid, world.pod.metadata.resource_version)
    await world.settle()
    assert world.cluster.writes.count("create") == 1
    world.cluster.finish(KEY)
    await world.settle()
    assert world.cluster.writes.count("create") == 2


async def test_a_pod_that_exits_by_itself_is_recreated_after_growing_delays(world: World) -> None:
    await declared(world)
    delays = []
    for _ in range(7):
        world.cluster.pod_is(KEY, phase="Failed", reason="Evicted")
        await world.settle()
        restart = world.job.status.restart
        assert restart is not None
        assert world.ready == ("False", c.POD_RESTARTING)
        delays.append(round(restart.next_at.timestamp() - NOW.timestamp() - world.seconds))
        await world.advance(delays[-1] + 1)
        assert world.ready == ("False", c.POD_PENDING)
    assert delays == [10, 20, 40, 80, 160, 300, 300]


async def test_the_delay_is_reset_after_the_pod_has_run_for_ten_minutes(world: World) -> None:
    await declared(world)
    world.cluster.pod_is(KEY, phase="Failed")
    await world.settle()
    await world.advance(11)
    world.cluster.pod_is(KEY, **RUNNING)
    await world.settle()
    assert world.job.status.restart is not None
    await world.advance(590)
    assert world.job.status.restart is None


async def test_a_foreign_pod_is_not_deleted_and_stalls_the_job_until_it_is_gone(world: World) -> None:
    foreign = {"name": "us-equities-ingest", "namespace": "acme", "uid": "theirs"}
    world.cluster.pods["acme", "us-equities-ingest"] = {"metadata": foreign, "spec": {}}
    world.cluster.change("pods", world.cluster.pods["acme", "us-equities-ingest"], change="ADDED")
    await declared(world)
    assert condition(world.job.status, c.STALLED) == ("True", c.NAME_CONFLICT)
    assert world.ready == ("False", c.NAME_CONFLICT)
    assert "delete" not in world.cluster.writes
    world.watching = False  # the pod lacks the operator's label: its end is found only by a live read
    world.cluster.finish(KEY)
    world.watching = True
    await world.advance(11)
    assert (world.ready, condition(world.job.status, c.STALLED)) == (("False", c.POD_PENDING), ("", ""))


async def test_the_pod_of_an_earlier_job_of_the_same_name_is_deleted_first(world: World) -> None:
    await live(world)
    world.cluster.jobs.pop(KEY)  # both changes happen within one gap of the watch
    world.cluster.declare(KEY, SYNTHETIC, uid="job-2")
    await world.settle()
    assert (world.ready, world.cluster.writes[-2:]) == (("False", c.POD_REPLACING), ["delete", "status"])
    world.cluster.finish(KEY)
    await world.settle()
    assert world.pod.metadata.owner_references[0].uid == "job-2"


async def test_a_pod_without_a_job_is_deleted_after_a_live_read_of_the_job(world: World) -> None:
    await declared(world)
    world.cluster.remove(KEY)
    await world.settle()
    assert world.cluster.pods == {}


async def test_a_pod_whose_job_is_missing_only_in_the_cache_survives(world: World) -> None:
    await declared(world)
    world.store.jobs.remove_if_same_uid(KEY, "job-1")
    await world.settle()
    assert "delete" not in world.cluster.writes
    assert world.store.jobs.get(KEY) is not None


async def test_a_stale_cache_does_not_delete_the_newer_pod(world: World) -> None:
    await declared(world)
    old = world.store.jobs.get(KEY)
    assert old is not None
    world.watching = False
    world.cluster.declare(KEY, COLD)  # and another operator process has already replaced the pod
    pod = world.cluster.pods["acme", "us-equities-ingest"]
    pod["metadata"]["annotations"][identity.COLD_HASH_ANNOTATION] = "newer"
    world.cluster.change("pods", pod)
    world.watching = True
    world.cluster.change("pods", pod)
    await world.reconciler.reconcile(KEY)
    assert "delete" not in world.cluster.writes
    assert world.store.jobs.get(KEY) != old


async def test_a_rejected_pod_stalls_the_job_and_is_retried_once_a_minute(world: World) -> None:
    world.cluster.refusal = 'pods "us-equities-ingest" is forbidden: exceeded quota: small'
    await declared(world)
    assert condition(world.job.status, c.STALLED) == ("True", c.POD_REJECTED)
    assert "exceeded quota: small" in world.job.status.conditions[0].message
    writes = len(world.cluster.writes)
    await world.advance(59)
    assert len(world.cluster.writes) == writes
    world.cluster.refusal = ""
    await world.advance(3)
    assert (world.ready, world.cluster.writes.count("create")) == (("False", c.POD_PENDING), 1)


async def test_a_spec_that_is_not_understood_stalls_the_job_until_it_changes(world: World) -> None:
    await declared(world, SYNTHETIC | {"symbols": ["not a symbol"]})
    assert condition(world.job.status, c.STALLED) == ("True", c.SPEC_NOT_UNDERSTOOD)
    assert "spec.symbols[0] is not understood" in world.job.status.conditions[0].message
    assert world.job.status.observed_generation is None
    assert (world.due, world.cluster.pods) == ({}, {})
    await declared(world, SYNTHETIC)
    assert world.ready == ("False", c.POD_PENDING)


async def test_a_pause_is_pending_until_the_pod_confirms_it(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    assert (world.ready, condition(world.job.status, c.PAUSED)) == (("False", c.PAUSING), ("", ""))
    await world.streams(**pause())
    assert (world.ready, condition(world.job.status, c.PAUSED)) == (
        ("True", c.PAUSED_REASON),
        ("True", c.PAUSED_REASON),
    )


async def test_a_pause_that_is_not_confirmed_within_ten_seconds_is_reported(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    await world.advance(9.9)
    assert condition(world.job.status, c.PAUSED) == ("", "")
    await world.advance(0.2)
    assert condition(world.job.status, c.PAUSED) == ("False", c.NOT_ACKNOWLEDGED)
    assert world.recorder.reports[-1].transition.warning


async def test_a_pause_ends_by_itself(world: World) -> None:
    await declared(world, SYNTHETIC | {"pause": {"until": "2026-03-02T15:01:00Z"}})
    assert world.ready == ("True", c.PAUSED_REASON)
    await world.advance(61)
    assert world.ready == ("False", c.POD_PENDING)


async def test_a_pod_that_lost_our_label_is_replaced_since_it_is_not_watched(world: World) -> None:
    await declared(world)
    pod = world.cluster.pods["acme", "us-equities-ingest"]
    uid = pod["metadata"]["uid"]
    del pod["metadata"]["labels"][identity.MANAGED_BY_LABEL]
    world.cluster.change("pods", pod, change="DELETED")  # the event that a watch with a label selector delivers
    await world.settle()
    assert world.pod.metadata.uid != uid


async def test_a_finished_replay_is_not_streamed_again_when_its_pod_is_gone(world: World) -> None:
    replay = {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "tape"}}}}
    await declared(world, SYNTHETIC | replay)
    beat = world.said()["heartbeat"] | {"epoch": world.job.status.epoch}
    await world.streams(heartbeat=beat)
    await world.streams(state="Finished", heartbeat=beat)
    assert (world.ready, world.job.status.phase) == (("True", c.REPLAY_FINISHED), "Stopped")
    world.cluster.pod_is(KEY, phase="Succeeded")
    await world.settle()
    world.cluster.finish(KEY)
    await world.settle()
    assert (world.ready, world.cluster.writes.count("create")) == (("True", c.REPLAY_FINISHED), 1)
    assert world.recorder.reasons == [c.STREAMING_REASON, c.REPLAY_FINISHED]


async def test_events_report_each_transition_once(world: World) -> None:
    await live(world)
    assert world.recorder.reasons == [c.STREAMING_REASON]


async def test_only_the_first_start_of_a_pod_causes_no_event(world: World) -> None:
    await declared(world)
    assert (world.ready, world.recorder.reasons) == (("False", c.POD_PENDING), [])
    await world.streams()
    world.cluster.pod_is(KEY, phase="Pending")
    await world.settle()
    assert world.recorder.reasons == [c.STREAMING_REASON, c.POD_PENDING]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_around_any_write_leads_to_the_same_final_state(moment: str) -> None:
    whole = World()
    end = await _lived(whole)
    for number in range(len(whole.cluster.writes)):
        crashed = World()
        crashed.cluster.crash_at = (number, moment)
        assert await _lived(crashed) == end, f"crashed {moment} write {number}, {whole.cluster.writes[number]}"
        assert crashed.cluster.crash_at is None


async def _lived(world: World) -> object:
    """Run a job through creation, a change and an eviction until it is live again, despite crashes of the operator."""

    async def survive() -> None:
        try:
            await world.settle()
        except Crash:
            world.start()
            await world.settle()

    world.cluster.declare(KEY, SYNTHETIC)
    await survive()
    world.cluster.declare(KEY, COLD)
    await survive()
    world.cluster.pod_is(KEY, phase="Failed")
    await survive()
    for key in list(world.due):
        world.seconds = max(world.seconds, world.due.pop(key))
        world.dirty.add(key)
    await survive()
    world.cluster.pod_is(KEY, **RUNNING)
    world.cluster.pod_says(KEY, world.said())
    await survive()
    status = world.job.status
    facts = [(each.type, each.status, each.reason) for each in status.conditions]
    restarts = status.restart.count if status.restart is not None else 0
    return facts, status.phase, restarts, len(world.cluster.pods)
