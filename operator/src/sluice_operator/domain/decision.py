"""The decision about one job, as a pure function of the observation of the job."""

from __future__ import annotations

from collections.abc import Iterator

from sluice_contract import identity
from sluice_contract.status import IngestJobStatus, PodRestart
from sluice_contract.status_size import fit_operator_status

from . import (
    condition_events,
    early_deletions,
    facts,
    pod_checks,
    readiness,
    restarts,
    rollout_status,
    status_conditions,
    stops,
)
from .actions import Decision, DeletePod, PodFinding, RefreshFromAPI
from .changes import without_stream_status
from .findings import refresh_step_if_heartbeat_is_overdue
from .objects import Job, Pod
from .observation import Observation

# A job is reconciled just after its deadline, so that one reconciliation suffices.
_AFTER_SECONDS = 0.05


def decide(observation: Observation) -> Decision:
    """Decide about a job: the status to write, the step after it, the Events, and when to reconcile again."""
    job = observation.job
    if job is None:
        return _decide_without_job(observation.pod)
    finding = pod_checks.first_finding(observation, job)
    verdict = readiness.first_verdict(observation, job, finding)
    replacement = rollout_status.replacement_to_store(observation, job, finding, verdict)
    pending = rollout_status.pending_condition(observation, finding, replacement)
    status = IngestJobStatus(
        observed_generation=_generation_to_store(job),
        phase=verdict.phase,
        conditions=status_conditions.conditions_of_job(observation, job, verdict, pending),
        pod_name=identity.pod_name(job.metadata.name),
        epoch=_epoch_to_store(observation, job),
        restart=_restart_to_store(observation, job, finding),
        policy=observation.policy_verdict.policy if observation.policy_verdict is not None else None,
        replacement=replacement,
    )
    status = fit_operator_status(status, job.status.stream)
    changed = status != without_stream_status(job.status)
    return Decision(
        status=status if changed else None,
        step=finding.step if finding is not None else refresh_step_if_heartbeat_is_overdue(observation),
        transitions=condition_events.transitions_for_events(job.status.conditions, status.conditions, observation.now)
        if changed
        else (),
        waits_for_turn=rollout_status.waits_for_turn(observation, finding),
        requeue_after=_seconds_to_next_reconciliation(observation, job, finding),
    )


def without_creation(decision: Decision) -> Decision:
    """Return the decision without what is futile in a namespace that is being deleted: a creation and a report."""
    step = decision.step if isinstance(decision.step, DeletePod | RefreshFromAPI) else None
    return Decision(step=step, requeue_after=decision.requeue_after)


def _decide_without_job(pod: Pod | None) -> Decision:
    """Decide about a deleted job: delete its pod if the operator created it and it is not terminating yet.

    The garbage collector also deletes the pod, but later.
    """
    if pod is None or not facts.pod_was_created_by_operator(pod) or facts.pod_is_terminating(pod):
        return Decision()
    return Decision(step=DeletePod(pod.metadata.uid, pod.metadata.resource_version))


def _generation_to_store(job: Job) -> int | None:
    """Return the generation for the status: the current one, or the stored one if the spec is not understood.

    So no tool concludes that a spec which is not understood is applied.
    """
    return job.status.observed_generation if job.spec is None else job.metadata.generation


def _epoch_to_store(observation: Observation, job: Job) -> int | None:
    """Return the epoch for the status: that of the pod, or the stored one if it is higher; None without any pod yet."""
    pod = observation.pod
    borne = facts.pod_epoch(pod) if pod is not None and pod.is_owned_by(job) else 0
    return max(job.status.epoch or 0, borne) or None


def _restart_to_store(observation: Observation, job: Job, finding: PodFinding | None) -> PodRestart | None:
    """Return the restart record for the status; None if the pod has run for 10 minutes or no pod has failed."""
    if finding is not None and finding.restart is not None:
        return finding.restart
    if (counted := early_deletions.restart_record_after_early_deletion(observation, job)) is not None:
        return counted
    cleared = facts.running_seconds(observation) >= restarts.RESTART_CLEARED_AFTER_SECONDS
    return None if cleared else job.status.restart


def _seconds_to_next_reconciliation(observation: Observation, job: Job, finding: PodFinding | None) -> float | None:
    """Return the seconds until just after the next time at which the decision may change; None if no such time."""
    soonest = min(_seconds_until_each_change(observation, job, finding), default=None)
    return soonest + _AFTER_SECONDS if soonest is not None else None


def _seconds_until_each_change(observation: Observation, job: Job, finding: PodFinding | None) -> Iterator[float]:
    """Yield the seconds until each time at which the decision may change by the passing of time alone."""
    if finding is not None and finding.requeue_after is not None:
        yield finding.requeue_after
    spec_pause = job.stops.pause
    ends = [spec_pause.until if spec_pause is not None else None, *(each.spec.until for each in observation.pauses)]
    yield from ((end - observation.now).total_seconds() for end in ends if end is not None and end > observation.now)
    yield from stops.seconds_until_each_stop_deadline(observation)
    yield from rollout_status.seconds_until_turn_or_deadline(observation, job)
    if facts.ingest_container_is_running(observation.pod):
        if not facts.heartbeat_is_overdue(observation):
            yield facts.HEARTBEAT_LIMIT_SECONDS - observation.heartbeat_age_seconds
        if job.status.restart is not None:
            yield max(0.0, restarts.RESTART_CLEARED_AFTER_SECONDS - facts.running_seconds(observation))
