"""Constructors of the findings and steps that several pod checks share."""

from __future__ import annotations

from typing import Final

from . import facts
from .actions import DeletePod, PodFinding, ReadinessVerdict, RefreshFromAPI, Step
from .objects import Pod
from .observation import Observation

# A pod without the operator's label is not watched, so it is read live.
UNWATCHED_POD_LOOK_SECONDS: Final = 10.0
_LAST_LOOK_SECONDS: Final = 60.0


def stalled_finding(reason: str, message: str, step: Step = None, requeue_after: float | None = None) -> PodFinding:
    """Return a finding that a person has to act on."""
    verdict = ReadinessVerdict(reason=reason, message=message, phase="Failed", stalled=True)
    return PodFinding(verdict=verdict, step=step, requeue_after=requeue_after)


def progressing_finding(reason: str, message: str, step: Step, requeue_after: float | None = None) -> PodFinding:
    """Return a finding that the operator resolves by itself."""
    verdict = ReadinessVerdict(reason=reason, message=message, phase="Pending")
    return PodFinding(verdict=verdict, step=step, requeue_after=requeue_after)


def delete_step(pod: Pod) -> DeletePod:
    """Return the step that deletes exactly this version of the pod."""
    return DeletePod(uid=pod.metadata.uid, resource_version=pod.metadata.resource_version)


def step_while_terminating(o: Observation) -> tuple[Step, float | None]:
    """Return the step while the pod terminates, and the seconds to the next reconciliation.

    The watch may have missed the end of the pod, or may not show it at all. So the pod is read live after 10 s, and
    then after delays that grow up to a minute.
    """
    is_watched = o.pod is not None and facts.pod_has_operator_label(o.pod)
    waits = [
        min(UNWATCHED_POD_LOOK_SECONDS * 2.0 ** min(reads, 3), _LAST_LOOK_SECONDS)
        if is_watched
        else UNWATCHED_POD_LOOK_SECONDS
        for reads in (o.terminating_reads, o.terminating_reads + 1)
    ]
    if (left := waits[0] - o.terminating_read_age_seconds) > 0:
        return None, left
    return RefreshFromAPI(), waits[1]


def refresh_step_if_heartbeat_is_overdue(observation: Observation) -> RefreshFromAPI | None:
    """Return the step that reads the job live, if its heartbeat is overdue and no live read has confirmed that yet."""
    overdue = facts.heartbeat_is_overdue(observation)
    return RefreshFromAPI() if overdue and not observation.heartbeat_was_looked_up else None
