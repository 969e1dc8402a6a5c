"""Pods that another client deletes soon after their creation, again and again: new ones are created after a backoff.

The first such deletion is repaired at once: deleting a pod is a usual way to restart it. Each further one counts as a
failed attempt in `status.restart`, like an exit, until a pod has run for ten minutes. A change of the spec ends the
wait, and a stop needs no pod.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sluice_contract import conditions as c
from sluice_contract.status import Condition, PodRestart

from . import facts, restarts
from .actions import PodFinding, ReadinessVerdict
from .objects import Job, Pod
from .observation import Observation

_EPOCH_ORIGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)

EARLY_SECONDS: Final = 60.0  # from the creation of a pod until its object is gone


def restart_record_after_early_deletion(o: Observation, job: Job) -> PodRestart | None:
    """Return the restart record that counts the early deletion of the last pod; None if there is nothing to count.

    The time in the first record is the creation of the deleted pod, so that the pod is counted only once, and the next
    pod is created now.
    """
    pod, earlier = o.deleted_pod, job.status.restart
    if pod is None or not _is_early_deletion(o, job, pod) or restarts.end_is_counted(earlier, pod, o.now):
        return None
    if earlier is None:
        return PodRestart(count=1, next_at=_EPOCH_ORIGIN + timedelta(milliseconds=facts.pod_epoch(pod)))
    return restarts.next_restart(earlier, o.now)


def finding_if_pod_is_deleted_early(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that waits if another client has deleted young pods of the job more than once."""
    restart = restart_record_after_early_deletion(o, job) or job.status.restart
    if o.pod is not None or restart is None or restart.count == 1 or not is_wait_after_early_deletion(o, job):
        return None
    if not restarts.is_waiting(restart, o.now) or _spec_has_changed(o, job):
        return None
    message = (
        f"Another client deleted the pod within {EARLY_SECONDS:.0f} s of its creation, more than once. The operator "
        f"{restarts.next_pod_phrase(restart)}. Find the client in the audit log of the API server; to stop the stream, "
        "pause the job instead."
    )
    verdict = ReadinessVerdict(reason=c.POD_DELETED, message=message, phase="Degraded")
    wait = (restart.next_at - o.now).total_seconds()
    return PodFinding(verdict=verdict, requeue_after=wait, restart=restart)


def is_wait_after_early_deletion(o: Observation, job: Job) -> bool:
    """Return whether another client deleted the last pod. After a restart of the operator, only the status says it."""
    if o.deleted_pod is not None:
        return o.deleted_pod.is_owned_by(job)
    ready = _stored_ready_condition(job)
    return ready is not None and ready.reason == c.POD_DELETED


def _is_early_deletion(o: Observation, job: Job, pod: Pod) -> bool:
    """Return whether the pod was the right one for the job, and is gone less than 60 s after its creation."""
    if not pod.is_owned_by(job) or facts.pod_is_outdated(pod, o.cold_hash):
        return False
    return abs(o.now.timestamp() - facts.pod_epoch(pod) / 1000) < EARLY_SECONDS


def _spec_has_changed(o: Observation, job: Job) -> bool:
    """Return whether the spec has changed since the wait was reported, or needs another pod than the deleted one."""
    ready = _stored_ready_condition(job)
    if ready is not None and ready.reason == c.POD_DELETED:
        return ready.observed_generation != job.metadata.generation
    return o.deleted_pod is not None and facts.pod_is_outdated(o.deleted_pod, o.cold_hash)


def _stored_ready_condition(job: Job) -> Condition | None:
    return next((each for each in job.status.conditions if each.type == c.READY), None)
