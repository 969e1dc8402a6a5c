"""Constructors of the findings and steps that several pod checks share."""

from __future__ import annotations

from typing import Final

from . import facts
from .actions import DeletePod, PodFinding, ReadinessVerdict, RefreshFromAPI, Step
from .objects import Pod
from .observation import Observation

# A pod without the operator's label is not watched, so it is read live.
UNWATCHED_POD_LOOK_SECONDS: Final = 10.0


def stalled_finding(
    reason: str, message: str, step: Step = None, requeue_after: float | None = None, epoch: int | None = None
) -> PodFinding:
    """Return a finding that a person has to act on."""
    verdict = ReadinessVerdict(reason=reason, message=message, phase="Failed", stalled=True)
    return PodFinding(verdict=verdict, step=step, requeue_after=requeue_after, epoch=epoch)


def progressing_finding(reason: str, message: str, step: Step, requeue_after: float | None = None) -> PodFinding:
    """Return a finding that the operator resolves by itself."""
    verdict = ReadinessVerdict(reason=reason, message=message, phase="Pending")
    return PodFinding(verdict=verdict, step=step, requeue_after=requeue_after)


def delete_step(pod: Pod) -> DeletePod:
    """Return the step that deletes exactly this version of the pod."""
    return DeletePod(uid=pod.metadata.uid, resource_version=pod.metadata.resource_version)


def step_while_terminating(pod: Pod) -> tuple[Step, float | None]:
    """Return the step and the seconds to the next reconciliation. A pod without the operator's label is not watched."""
    return (None, None) if facts.pod_has_operator_label(pod) else (RefreshFromAPI(), UNWATCHED_POD_LOOK_SECONDS)


def refresh_step_if_heartbeat_is_overdue(observation: Observation) -> RefreshFromAPI | None:
    """Return the step that reads the job live, if its heartbeat is overdue and no live read has confirmed that yet."""
    overdue = facts.heartbeat_is_overdue(observation)
    return RefreshFromAPI() if overdue and not observation.heartbeat_was_looked_up else None
