"""Schedules: what the operator promises holds in every order of commits, responses and watch events.

Each scenario runs with every plan of a few choices and then with random ones. To show that the rig finds what it has to
find, each fix is switched off, and the rig then has to fail.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from sluice_operator.domain import decision, facts
from sluice_operator.domain.objects import Job
from sluice_operator.domain.observation import Observation
from sluice_operator.object_cache import ObjectCache
from unit.operator.world import KEY, NOW, RUNNING, SYNTHETIC, said

from .schedules import POD, Schedule, replay_text

CHOICES = 3  # of which each plan is run, and after them random ones
ALTERNATIVES = 3
SEEDS = 60
REPLAY = SYNTHETIC | {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "tape"}}}}
COLD = SYNTHETIC | {"synthetic": {"seed": 7}}
Scenario = Callable[[Schedule], None]
Check = Callable[[Schedule], Iterator[str]]


def _delete_pod(run: Schedule) -> None:
    if POD in run.cluster.pods:
        run.cluster.finish(KEY)


def _finish_tape(run: Schedule) -> None:
    if POD not in run.cluster.pods:  # the kubelet starts it later
        run.steps.insert(0, ("finish tape", _finish_tape)) if run.dirty or run.waiting or run.due else None
        return
    pod = run.pod
    run.cluster.pod_is(KEY, **RUNNING)
    report = said(pod.metadata.uid, 1, NOW)
    beat = report["heartbeat"] | {"epoch": facts.pod_epoch(pod)}
    run.cluster.pod_says(KEY, report | {"state": "Finished", "heartbeat": beat})
    run.finished_epoch = facts.pod_epoch(pod)


def _recreate_job(run: Schedule) -> None:
    run.cluster.remove(KEY)
    run.cluster.declare(KEY, SYNTHETIC, uid="job-2")


def pod_deleted(run: Schedule) -> None:
    """A pod is created, read live, and deleted."""
    run.steps += [("live read", Schedule.read_live), ("delete pod", _delete_pod), ("live read", Schedule.read_live)]
    run.cluster.declare(KEY, SYNTHETIC)


def tape_finished(run: Schedule) -> None:
    """A replay finishes, and its pod is deleted."""
    run.steps += [("finish tape", _finish_tape), ("delete pod", _delete_pod)]
    run.cluster.declare(KEY, REPLAY)


def job_recreated(run: Schedule) -> None:
    """A job is deleted and created again while the operator works on it, and its pod fails."""
    run.steps += [
        ("fail pod", lambda run: run.cluster.pod_is(KEY, phase="Failed") if POD in run.cluster.pods else None),
        ("recreate job", _recreate_job),
    ]
    run.cluster.declare(KEY, SYNTHETIC)


def spec_changed(run: Schedule) -> None:
    """A cold field changes twice, so that the pod is replaced."""
    run.steps += [
        ("cold change", lambda run: run.cluster.declare(KEY, COLD)),
        ("delete pod", _delete_pod),
        ("cold change", lambda run: run.cluster.declare(KEY, SYNTHETIC)),
    ]
    run.cluster.declare(KEY, SYNTHETIC)


def violations_at_end(run: Schedule) -> Iterator[str]:
    """Yield what does not hold at the end, when everything has been delivered."""
    job, pod = run.job, run.cluster.pods.get(POD)
    is_finished = run.finished_epoch is not None
    if is_finished and pod is not None and facts.pod_epoch(run.pod) != run.finished_epoch:
        yield "a finished replay runs again"
    if pod is None:
        if not is_finished:
            yield "the job has no pod"
        return
    if (job.status.epoch or 0) != facts.pod_epoch(run.pod):
        yield "status.epoch is not that of the pod"
    known = run.store.pods.get(KEY)
    if known is None or known.metadata.uid != run.pod.metadata.uid:
        yield "the cache has another pod"
    if job.metadata.uid == "job-2" and job.status.restart is not None:
        yield "a deleted job's status landed on its successor"


SCENARIOS: tuple[Scenario, ...] = (pod_deleted, tape_finished, job_recreated, spec_changed)


def plans() -> Iterator[tuple[list[int], int]]:
    """Yield each plan of a few choices with one seed, and then only seeds."""
    for number, plan in enumerate(itertools.product(range(ALTERNATIVES), repeat=CHOICES)):
        yield list(plan), number
    yield from (([], seed) for seed in range(1000, 1000 + SEEDS))


async def first_failure(
    scenario: Scenario, violation: str = "", prepare: Callable[[Schedule], None] = lambda _: None
) -> str:
    """Return the text of the first schedule with such a violation, by default with any; empty if there is none."""
    for plan, seed in plans():
        run = Schedule(plan, seed)
        prepare(run)
        scenario(run)
        await run.run()
        run.violations += violations_at_end(run)
        if any(violation in each for each in run.violations):
            return replay_text(scenario.__name__, run)
    return ""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
async def test_no_schedule_violates_a_promise(scenario: Scenario) -> None:
    assert await first_failure(scenario) == ""


async def test_without_tombstones_a_late_response_leaves_a_job_without_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObjectCache, "_tombstone", lambda *_: None)
    assert await first_failure(pod_deleted, "the job has no pod") != ""


async def test_an_epoch_that_is_written_ahead_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = decision._epoch_to_store

    def ahead(o: Observation, job: Job) -> int | None:
        return max(honest(o, job) or 0, o.last_epoch) or None

    monkeypatch.setattr(decision, "_epoch_to_store", ahead)
    assert await first_failure(spec_changed, "status.epoch is not that of the pod") != ""


async def test_a_replay_that_runs_twice_by_a_compared_epoch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    knows_end = facts.tape_is_finished

    def compares_epochs(o: Observation) -> bool:
        stream = o.job.status.stream if o.job is not None else None
        return (
            knows_end(o) and stream is not None and o.job is not None and stream.heartbeat.epoch == o.job.status.epoch
        )

    monkeypatch.setattr(facts, "tape_is_finished", compares_epochs)
    assert await first_failure(tape_finished, "a finished replay runs again") != ""


async def test_an_epoch_that_goes_back_without_the_precondition_is_found() -> None:
    def prepare(run: Schedule) -> None:
        run.scheduled.keeps_precondition = False

    assert await first_failure(spec_changed, "status.epoch went back", prepare) != ""


async def test_a_status_that_lands_on_the_successor_without_the_precondition_is_found() -> None:
    def prepare(run: Schedule) -> None:
        run.scheduled.keeps_precondition = False

    assert await first_failure(job_recreated, "successor", prepare) != ""
