"""The pod check of what the platform does not allow to a job: no new pod is created, and a running pod continues."""

from __future__ import annotations

from typing import Final

from sluice_contract import conditions as c

from . import facts, readiness, stops
from .actions import PodFinding, ReadinessVerdict, Step
from .findings import delete_step, refresh_step_if_heartbeat_is_overdue
from .objects import Job
from .observation import Observation

_MESSAGE_LENGTH: Final = 1024


def finding_if_platform_denies_spec(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that creates and replaces no pod if the platform does not allow a field of the spec.

    A pod that runs continues as it was created, and obeys each stop. While a pause is requested, the job is shown as
    paused, because that is the declared state.
    """
    if o.denial is None:
        return None
    ended = o.pod if o.pod is not None and facts.pod_has_ended(o.pod) else None
    step: Step = delete_step(ended) if ended is not None else refresh_step_if_heartbeat_is_overdue(o)
    if stops.pause_is_requested(o):
        return PodFinding(verdict=readiness.first_verdict(o, job, None), step=step)
    return PodFinding(verdict=_denied_verdict(o, o.denial.message), step=step)


def _denied_verdict(o: Observation, message: str) -> ReadinessVerdict:
    runs = o.pod is not None and not facts.pod_has_ended(o.pod)
    rest = "The present pod continues with the spec that it was created with." if runs else "No pod is created."
    return ReadinessVerdict(
        reason=c.POLICY_DENIED,
        message=f"{message[:_MESSAGE_LENGTH]} {rest}",
        phase="Degraded" if runs else "Failed",
        stalled=True,
    )
