"""The loop of the trials, and what it means for jobs, with a fake cluster."""

from __future__ import annotations

import logging

import pytest

from sluice_contract import conditions as c
from sluice_operator import policy_proof
from sluice_operator.domain.observation import PolicyProblem
from sluice_operator.domain.policy_trials import Trial
from sluice_operator.policy_proof import PolicyProof
from sluice_operator.ports import PodDryRun

from .behaviour import PODS
from .dry_runs import DryRunBehaviour, FakeDryRuns, Manifest
from .fakes import FakeCluster
from .test_cluster_port import FakeBench
from .world import KEY, SYNTHETIC, World, condition, declared, live, pause

TRIAL = Trial("sluice-operator", "sluice-system")
COLD = SYNTHETIC | {"synthetic": {"seed": 7}}


def refused_by_policy(_: Manifest) -> str:
    return "ValidatingAdmissionPolicy 'sluice-operator' with binding 'sluice-operator' denied request: no."


def refused_by_rbac(_: Manifest) -> str:
    return 'User "x" cannot create resource "pods" in API group "" in the namespace "sluice-system"'


class TestFakeDryRuns(DryRunBehaviour):
    """Runs the whole suite for dry runs."""

    @pytest.fixture
    def bench(self) -> FakeBench:
        """A fake cluster for each test."""
        return FakeBench()

    @pytest.fixture
    def dry_runs(self, bench: FakeBench) -> PodDryRun:
        """Dry runs in the namespace of the bench."""
        return FakeDryRuns(bench.cluster, (bench.namespace,))


class End(Exception):  # noqa: N818
    """Ends a loop that never returns."""


class Proof:
    """A proof with one trial, the problems that it has passed on, and the pauses between its rounds."""

    def __init__(self) -> None:
        self.pods = FakeDryRuns(FakeCluster(), ("sluice-system",))
        self.pods.refusal = refused_by_policy
        self.problems: list[PolicyProblem | None] = []
        self.proof = PolicyProof(self.pods, (TRIAL,), PODS.image, self.problems.append)

    async def pauses(self, rounds: int) -> list[float]:
        """Run the loop for some rounds; returns the seconds between them."""
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == rounds:
                raise End

        with pytest.raises(End):
            await self.proof.run(sleep)
        return slept


async def test_the_policies_are_proven_by_the_first_round_and_again_every_hour() -> None:
    it = Proof()
    assert not it.proof.is_proven
    assert await it.pauses(2) == [policy_proof.PERIOD_SECONDS] * 2
    assert (it.proof.is_proven, it.pods.count) == (True, 2)
    [first, last] = it.problems
    assert (first is not None, last) == (True, None)


async def test_unproven_policies_are_tried_again_within_seconds() -> None:
    it = Proof()
    it.pods.refusal = lambda _: ""
    assert await it.pauses(6) == [1, 2, 4, 8, 10, 10]
    assert not it.proof.is_proven


async def test_an_account_without_the_right_is_checked_each_minute() -> None:
    it = Proof()
    it.pods.refusal = refused_by_rbac
    assert await it.pauses(1) == [policy_proof.NO_RIGHT_SECONDS]
    assert it.proof.is_proven


async def test_a_trial_in_an_absent_namespace_is_a_proof() -> None:
    it = Proof()
    it.proof = PolicyProof(it.pods, (Trial("sluice-operator", "absent"),), PODS.image, it.problems.append)
    await it.proof.run_trials()
    assert it.proof.is_proven


async def test_a_pod_whose_name_is_taken_was_admitted() -> None:
    it = Proof()
    cluster = FakeCluster()
    cluster.pods["sluice-system", TRIAL.pod_name] = {}
    it.pods = FakeDryRuns(cluster, ("sluice-system",))
    it.proof = PolicyProof(it.pods, (TRIAL,), PODS.image, it.problems.append)
    await it.proof.run_trials()
    assert it.proof.problem is not None
    assert "does not limit" in it.proof.problem.message


async def test_an_api_server_without_an_answer_keeps_the_proof_and_is_asked_again_soon() -> None:
    it = Proof()
    await it.proof.run_trials()
    it.pods.is_away = True
    assert await it.pauses(1) == [policy_proof.FIRST_RETRY_SECONDS]
    assert it.proof.is_proven
    assert it.problems[1:] == [None]


async def test_at_the_start_no_answer_is_no_proof() -> None:
    it = Proof()
    it.pods.is_away = True
    await it.proof.run_trials()
    assert it.proof.problem is not None
    assert not it.proof.problem.needs_action


async def test_a_policy_that_is_removed_is_an_error_that_names_it_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    it = Proof()
    await it.proof.run_trials()
    it.pods.refusal = lambda _: ""
    await it.pauses(4)
    [error] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "Policy sluice-operator does not limit" in vars(error)["reason"]
    it.pods.refusal = refused_by_policy
    await it.proof.run_trials()
    assert caplog.records[-1].levelno == logging.INFO


PROBLEM = PolicyProblem("Policy sluice-operator does not limit the operator's account.", needs_action=True)


def set_problem(world: World, problem: PolicyProblem | None) -> None:
    """Tell the operator about the problem, and queue each job, as the app does."""
    world.reconciler.set_policy_problem(problem)
    world.dirty.update(world.store.jobs)


async def test_no_pod_is_created_until_the_policies_are_proven(world: World) -> None:
    set_problem(world, PROBLEM)
    await declared(world)
    assert not world.cluster.pods
    assert world.cluster.writes == ["status"]
    assert (world.ready, condition(world.job.status, c.STALLED)[0]) == (("False", c.POLICIES_NOT_PROVEN), "True")
    set_problem(world, None)
    await world.settle()
    assert len(world.cluster.pods) == 1


async def test_before_the_first_trials_the_job_waits_and_is_not_stalled(world: World) -> None:
    set_problem(world, PolicyProblem("Not checked yet."))
    await declared(world)
    assert not world.cluster.pods
    assert (world.ready[1], condition(world.job.status, c.STALLED)) == (c.POLICIES_NOT_PROVEN, ("", ""))


async def test_a_pod_that_runs_continues_while_the_policies_are_not_proven(world: World) -> None:
    await live(world)
    writes = len(world.cluster.writes)
    set_problem(world, PROBLEM)
    await world.settle()
    assert (world.ready, len(world.cluster.writes)) == (("True", c.STREAMING_REASON), writes)


async def test_a_pod_is_not_replaced_while_its_successor_is_withheld(world: World) -> None:
    await live(world)
    uid = world.pod.metadata.uid
    set_problem(world, PROBLEM)
    await declared(world, COLD)
    assert (world.pod.metadata.uid, world.pod.metadata.deletion_timestamp) == (uid, None)
    assert world.ready == ("False", c.POLICIES_NOT_PROVEN)
    set_problem(world, None)
    await world.settle()
    assert world.pod.metadata.deletion_timestamp is not None


async def test_a_stop_is_confirmed_while_the_policies_are_not_proven(world: World) -> None:
    await live(world)
    set_problem(world, PROBLEM)
    await declared(world, SYNTHETIC | {"enabled": False})
    await world.streams(**pause())
    assert condition(world.job.status, c.PAUSED)[0] == "True"


async def test_a_stop_is_enforced_while_the_policies_are_not_proven(world: World) -> None:
    await live(world)
    set_problem(world, PROBLEM)
    await declared(world, COLD | {"enabled": False})
    await world.advance(20)
    assert world.pod.metadata.deletion_timestamp is not None
    world.cluster.finish(KEY)
    await world.settle()
    assert condition(world.job.status, c.PAUSED)[0] == "True"
    assert not world.cluster.pods


async def test_the_pod_of_a_deleted_job_is_deleted_while_the_policies_are_not_proven(world: World) -> None:
    await live(world)
    set_problem(world, PROBLEM)
    world.cluster.remove(KEY)
    await world.settle()
    assert world.pod.metadata.deletion_timestamp is not None
