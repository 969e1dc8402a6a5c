"""The check that no pod is created while a pause object pauses the whole job."""

from __future__ import annotations

from sluice_contract import conditions as c

from .actions import PodFinding, ReadinessVerdict
from .objects import Job
from .observation import Observation
from .pause_evidence import paused_without_pod_message, whole_job_pauses


def finding_if_pause_object_covers_job(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that creates no pod while a pause object pauses the whole job.

    A pod whose image or account is older might not see the pause object.
    """
    if o.pod is not None or not whole_job_pauses(o):
        return None
    message = paused_without_pod_message(o)
    return PodFinding(verdict=ReadinessVerdict(ready=True, reason=c.PAUSED_REASON, message=message, phase="Paused"))
