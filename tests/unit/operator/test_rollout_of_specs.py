"""Changes of the cold fields of jobs: at once for a few jobs of a namespace, and a share at a time for many."""

from __future__ import annotations

import pytest

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_operator.domain.rollout import FEW_JOBS

from .fleet import BAD, COLD, NEW, Fleet
from .world import pause


@pytest.fixture
async def fleet() -> Fleet:
    """Ten jobs that stream. The changes of three of them need not wait for another."""
    return await Fleet().with_jobs(10)


async def change_all(fleet: Fleet) -> None:
    for key in fleet.keys:
        await fleet.declared(key, **COLD)


async def test_the_change_of_one_job_does_not_wait_for_a_rollout_of_an_image(fleet: Fleet) -> None:
    await fleet.restarted(BAD)
    await fleet.run_pods()
    await fleet.elapse(400)
    key = next(key for key in fleet.keys if fleet.pending(key) == c.ROLLOUT_STOPPED)
    await fleet.declared(key, **COLD)
    assert fleet.is_terminating(key)
    assert fleet.ready_of(key) == ("False", c.POD_REPLACING)


async def test_the_change_of_one_job_does_not_wait_after_the_start_of_an_operator(fleet: Fleet) -> None:
    fleet.start()
    await fleet.declared(fleet.keys[0], **COLD)
    assert fleet.is_terminating(fleet.keys[0])


async def test_of_many_changed_jobs_of_a_namespace_a_few_are_interrupted_at_a_time(fleet: Fleet) -> None:
    fleet.most_unavailable = 0
    await change_all(fleet)
    waiting = [key for key in fleet.keys if not fleet.is_terminating(key)]
    assert len(waiting) == 10 - FEW_JOBS
    assert {(fleet.ready_of(key), fleet.pending(key)) for key in waiting} == {
        (("False", c.WAITING_FOR_TURN), c.WAITING_FOR_TURN)
    }
    await fleet.run_pods(6)
    assert fleet.most_unavailable == FEW_JOBS
    assert {fleet.ready_of(key) for key in fleet.keys} == {("True", c.STREAMING_REASON)}
    assert {fleet.pending(key) for key in fleet.keys} == {""}


async def test_changes_in_one_namespace_do_not_delay_those_in_another(fleet: Fleet) -> None:
    fleet.broken = set(fleet.keys)
    await change_all(fleet)
    await fleet.run_pods()
    other = ("beta", "job-0")
    await fleet.declared(other)
    await fleet.run_pods()
    await fleet.declared(other, **COLD)
    assert fleet.is_terminating(other)


async def test_changes_that_fail_stop_the_others_of_the_namespace_until_they_are_undone(fleet: Fleet) -> None:
    fleet.broken = set(fleet.keys)
    await change_all(fleet)
    await fleet.run_pods(3)
    failed = [key for key in fleet.keys if fleet.pending(key) == ""]
    assert len(failed) == FEW_JOBS
    await fleet.elapse(400)
    assert {fleet.pending(key) for key in failed} == {c.NOT_READY_IN_TIME}
    assert {fleet.pending(key) for key in fleet.keys if key not in failed} == {c.ROLLOUT_STOPPED}
    fleet.broken = set()
    for key in fleet.keys:
        await fleet.declared(key)
    await fleet.run_pods(2)
    assert {fleet.ready_of(key) for key in fleet.keys if key in failed} == {("True", c.STREAMING_REASON)}
    assert {fleet.pending(key) for key in fleet.keys} == {""}


async def test_jobs_that_lose_nothing_do_not_wait_for_those_that_do(fleet: Fleet) -> None:
    for key in fleet.keys[5:]:
        fleet.reports[key] = pause("api")
        fleet.report(key)
    await fleet.settle()
    await change_all(fleet)
    assert all(fleet.is_terminating(key) for key in fleet.keys[5:])


async def test_a_pod_of_an_earlier_operator_has_no_hash_of_its_spec_and_belongs_to_the_rollout(fleet: Fleet) -> None:
    for document in fleet.cluster.pods.values():
        del document["metadata"]["annotations"][identity.SPEC_HASH_ANNOTATION]
    await fleet.restarted(NEW)
    assert len([key for key in fleet.keys if fleet.is_terminating(key)]) == 2


async def test_a_pod_without_the_label_of_the_operator_is_replaced_at_once(fleet: Fleet) -> None:
    await fleet.restarted(BAD)
    await fleet.run_pods()
    key = next(key for key in fleet.keys if fleet.pending(key))
    pod = fleet.cluster.pods[key[0], identity.pod_name(key[1])]
    del pod["metadata"]["labels"][identity.MANAGED_BY_LABEL]
    fleet.cluster.change("pods", pod)
    await fleet.settle()
    assert fleet.is_terminating(key)
