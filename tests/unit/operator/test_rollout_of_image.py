"""Rollouts of another image: a share of the pods at a time, those first that lose nothing, and none after failures."""

from __future__ import annotations

import logging

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_operator.domain.rollout import MaxUnavailable
from sluice_operator.rollout_metrics import RolloutCounts

from .fleet import BAD, CLOSED, COLD, NEW, OLD, Fleet
from .world import pause


@pytest.fixture
async def fleet() -> Fleet:
    """Twenty jobs that stream. Four of them may be interrupted at a time."""
    return await Fleet().with_jobs(20)


async def test_at_most_a_share_of_the_jobs_is_interrupted_at_a_time_and_all_are_replaced(fleet: Fleet) -> None:
    fleet.most_unavailable = 0
    await fleet.restarted(NEW)
    for _ in range(8):
        await fleet.run_pods()
    assert len(fleet.with_image(NEW)) == 20
    assert fleet.most_unavailable == 4
    assert {fleet.ready_of(key) for key in fleet.keys} == {("True", c.STREAMING_REASON)}
    assert [key for key in fleet.keys if fleet.job_of(key).status.replacement or fleet.pending(key)] == []


async def test_no_pod_is_replaced_in_the_first_seconds_of_an_operator(fleet: Fleet) -> None:
    fleet.pod_settings = msgspec.structs.replace(fleet.pod_settings, image=NEW)
    fleet.start()
    await fleet.settle()
    await fleet.advance(14)
    assert fleet.unavailable() == []
    assert {fleet.pending(key) for key in fleet.keys} == {c.WAITING_FOR_TURN}
    await fleet.advance(2)
    assert len(fleet.unavailable()) == 4


async def test_a_waiting_job_stays_ready_and_its_status_is_written_once(fleet: Fleet) -> None:
    await fleet.restarted(NEW)
    waiting = [key for key in fleet.keys if fleet.pending(key) == c.WAITING_FOR_TURN]
    assert len(waiting) == 16
    assert {fleet.ready_of(key) for key in waiting} == {("True", c.STREAMING_REASON)}
    writes = len(fleet.cluster.writes)
    for key in waiting:
        fleet.report(key)
    await fleet.settle()
    assert len(fleet.cluster.writes) == writes
    assert c.WAITING_FOR_TURN not in fleet.recorder.reasons


async def test_paused_jobs_and_jobs_whose_market_is_closed_go_first(fleet: Fleet) -> None:
    paused, closed = fleet.keys[14:16], fleet.keys[16:18]
    for key in paused:
        fleet.reports[key] = pause("api")
    for key in closed:
        fleet.reports[key] = {"freshness": CLOSED}
    for key in (*paused, *closed):
        fleet.report(key)
    await fleet.settle()
    await fleet.restarted(NEW, max_unavailable=MaxUnavailable(2, False))
    first = [key for key in fleet.keys if fleet.is_terminating(key)]
    assert len(first) == 2
    assert set(first) < {*paused, *closed}
    while not {*paused, *closed} <= set(fleet.with_image(NEW)):
        before = len(fleet.with_image(NEW))
        await fleet.run_pods()
        assert len(fleet.with_image(NEW)) > before


async def test_a_bad_image_stops_after_the_first_share(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    await fleet.restarted(BAD)
    for _ in range(3):
        await fleet.run_pods()
    failed = fleet.with_image(BAD)
    assert len(failed) == 4
    with caplog.at_level(logging.INFO):
        await fleet.elapse(400)
    others = [key for key in fleet.keys if key not in failed]
    assert fleet.with_image(BAD) == failed
    assert {fleet.ready_of(key) for key in others} == {("True", c.STREAMING_REASON)}
    assert {fleet.pending(key) for key in others} == {c.ROLLOUT_STOPPED}
    assert {fleet.pending(key) for key in failed} == {c.NOT_READY_IN_TIME}
    assert fleet.recorder.reasons.count(c.NOT_READY_IN_TIME) == 4
    assert [record.message[:24] for record in caplog.records if "rollout" in record.message] == [
        "a rollout has stopped, b"
    ]


async def test_going_back_replaces_only_the_failed_pods_and_these_at_once(fleet: Fleet) -> None:
    before = {key: fleet.cluster.pods[key[0], identity.pod_name(key[1])]["metadata"]["uid"] for key in fleet.keys}
    await fleet.restarted(BAD)
    await fleet.run_pods()
    failed = fleet.with_image(BAD)
    await fleet.elapse(400)
    fleet.pod_settings = msgspec.structs.replace(fleet.pod_settings, image=OLD)
    fleet.start()
    await fleet.settle()
    assert [key for key in fleet.keys if fleet.is_terminating(key)] == failed
    await fleet.run_pods()
    after = {key: fleet.cluster.pods[key[0], identity.pod_name(key[1])]["metadata"]["uid"] for key in fleet.keys}
    assert [key for key in fleet.keys if after[key] != before[key]] == failed
    assert {fleet.ready_of(key) for key in fleet.keys} == {("True", c.STREAMING_REASON)}
    assert {fleet.pending(key) for key in fleet.keys} == {""}


async def test_a_corrected_image_reaches_the_failed_jobs_at_once_and_then_the_rest(fleet: Fleet) -> None:
    await fleet.restarted(BAD)
    await fleet.run_pods()
    await fleet.elapse(400)
    await fleet.restarted(NEW)
    fleet.most_unavailable = 0
    for _ in range(8):
        await fleet.run_pods()
    assert len(fleet.with_image(NEW)) == 20
    assert fleet.most_unavailable == 4


async def test_a_rollout_continues_when_the_jobs_become_ready_late(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.broken = set(fleet.keys)
    await fleet.restarted(NEW)
    await fleet.run_pods()
    await fleet.elapse(400)
    assert len(fleet.with_image(NEW)) == 4
    fleet.broken = set()
    with caplog.at_level(logging.INFO):
        await fleet.run_pods(8)
    assert len(fleet.with_image(NEW)) == 20
    assert "a rollout that had stopped continues" in [record.message for record in caplog.records]


async def test_one_job_that_fails_for_a_cause_of_its_own_does_not_stop_the_others(fleet: Fleet) -> None:
    fleet.broken = {fleet.keys[3]}
    await fleet.restarted(NEW)
    await fleet.run_pods(10)
    await fleet.elapse(400)
    assert len(fleet.with_image(NEW)) == 20
    assert fleet.pending(fleet.keys[3]) == c.NOT_READY_IN_TIME


async def test_a_corrected_job_is_replaced_at_once_while_the_rollout_is_stopped(fleet: Fleet) -> None:
    fleet.broken = set(fleet.keys)
    await fleet.restarted(NEW)
    await fleet.run_pods()
    await fleet.elapse(400)
    [first, *_] = fleet.with_image(NEW)
    await fleet.declared(first, **COLD)
    assert fleet.is_terminating(first)


async def test_a_job_that_was_not_ready_before_holds_its_place_only_until_the_deadline() -> None:
    fleet = Fleet()
    fleet.broken = {("acme", f"job-{number}") for number in range(8)}
    await fleet.with_jobs(20)
    await fleet.restarted(NEW)
    await fleet.run_pods(8)
    assert len(fleet.with_image(NEW)) < 20
    for _ in range(3):
        await fleet.advance(301)
        await fleet.run_pods(8)
    assert len(fleet.with_image(NEW)) == 20
    assert {fleet.pending(key) for key in fleet.keys} == {""}


async def test_an_operator_that_restarts_in_the_middle_replaces_no_more_at_a_time(fleet: Fleet) -> None:
    fleet.most_unavailable = 0
    await fleet.restarted(NEW)
    for _ in range(8):
        await fleet.restarted()
        await fleet.run_pods()
    assert fleet.most_unavailable == 4
    assert len(fleet.with_image(NEW)) == 20


async def test_stops_and_lost_pods_do_not_wait_for_a_rollout(fleet: Fleet) -> None:
    fleet.broken = set(fleet.keys)
    await fleet.restarted(NEW)
    waiting = [key for key in fleet.keys if not fleet.is_terminating(key)]
    evicted, deleted, stopped, removed = waiting[:4]
    fleet.cluster.pod_is(evicted, phase="Failed", reason="Evicted")
    await fleet.settle()
    await fleet.run_pods()
    await fleet.advance(11)
    assert fleet.image(evicted) == NEW
    pod = fleet.cluster.pods[deleted[0], identity.pod_name(deleted[1])]["metadata"]
    await fleet.cluster.delete_pod(deleted, pod["uid"], pod["resourceVersion"])
    fleet.cluster.finish(deleted)
    await fleet.settle()
    assert fleet.image(deleted) == NEW
    await fleet.declared(stopped, enabled=False)
    await fleet.advance(15)
    assert fleet.is_terminating(stopped), "the pod has not confirmed the stop"
    fleet.cluster.remove(removed)
    await fleet.settle()
    assert fleet.is_terminating(removed)


async def test_a_start_in_the_future_is_not_believed(fleet: Fleet) -> None:
    key = fleet.keys[0]
    record = {"startedAt": "9999-12-31T23:59:59Z", "cause": "Operator", "stateBefore": "Streaming"}
    document = fleet.cluster.jobs[key]
    fleet.broken = {key}
    fleet.cluster.change("ingestjobs", document, status=document["status"] | {"replacement": record})
    await fleet.settle()
    assert fleet.job_of(key).status.replacement is None


async def test_the_metrics_show_a_rollout_that_has_stopped(fleet: Fleet) -> None:
    await fleet.restarted(BAD)
    await fleet.run_pods()
    counts = fleet.reconciler.rollout.counts_by_cause
    assert counts()["Operator"] == RolloutCounts(outdated=16, in_progress=4, unavailable=4)
    await fleet.elapse(400)
    assert counts()["Operator"] == RolloutCounts(outdated=16, in_progress=4, unavailable=4, overdue=4, stopped=1)
    assert counts()["Spec"] == RolloutCounts()
