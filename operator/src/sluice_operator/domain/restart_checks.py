"""The checks of pods that have exited by themselves: when a new one is created."""

from __future__ import annotations

from sluice_contract import conditions as c

from . import facts, restarts
from .actions import PodFinding, ReadinessVerdict
from .early_deletions import is_wait_after_early_deletion
from .findings import delete_step
from .objects import Job
from .observation import Observation


def finding_if_pod_has_ended(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that counts the exit and deletes the pod if the ingest container is not restarted."""
    if o.pod is None or not facts.pod_has_ended(o.pod):
        return None
    restart = restarts.restart_record_after_exit(o, o.pod)
    ended = facts.exit_description(o.pod)
    message = f"The pod exited ({ended}); the operator {restarts.next_pod_phrase(restart)}."
    verdict = ReadinessVerdict(reason=c.POD_RESTARTING, message=message, phase="Degraded")
    return PodFinding(verdict=verdict, step=delete_step(o.pod), restart=restart)


def finding_if_restart_is_not_due(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that waits if the last pod exited by itself and the backoff has not passed."""
    restart = job.status.restart
    if o.pod is not None or restart is None or not restarts.is_waiting(restart, o.now):
        return None
    if is_wait_after_early_deletion(o, job):
        return None
    message = f"The last pod exited by itself; the operator {restarts.next_pod_phrase(restart)}."
    verdict = ReadinessVerdict(reason=c.POD_RESTARTING, message=message, phase="Degraded")
    return PodFinding(verdict=verdict, requeue_after=(restart.next_at - o.now).total_seconds())
