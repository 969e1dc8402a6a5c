"""The pod check of jobs that IngestPolicies deny: no pod is created, and a running pod is stopped gracefully."""

from __future__ import annotations

from typing import Final

from . import facts
from .actions import PodFinding, ReadinessVerdict, Step
from .findings import delete_step, step_while_terminating
from .objects import Job
from .observation import Observation
from .policy_verdict import denial_reason_of_verdict, is_denial

# So long the pod may take to close its stream and to report the denial, before its deletion starts. With the time of
# the requests, it is stopped within 10 s of the operator seeing the policy.
REPORT_SECONDS: Final = 5.0


def finding_if_policy_denies_job(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that deletes the pod if a policy denies the job, once the pod has reported it or had 5 s for it.

    A denied job that is also paused is shown as denied, because the end of the pause alone would not start it.
    """
    verdict = o.policy_verdict
    if verdict is None or not verdict.is_denied:
        return None
    step, again = _step_and_seconds(o, job)
    effect = "No pod runs" if facts.nothing_can_be_connected(o) else "The operator stops the pod"
    return PodFinding(
        verdict=ReadinessVerdict(
            reason=denial_reason_of_verdict(verdict),
            message=f"{effect}: {verdict.policy.denied}",  # which may end with any text of a policy
            phase="Failed",
            stalled=True,
        ),
        step=step,
        requeue_after=again,
    )


def _step_and_seconds(o: Observation, job: Job) -> tuple[Step, float | None]:
    """Return the step towards no pod, and the seconds until the next one. A pod of another owner is left alone."""
    if o.pod is None or facts.pod_is_foreign(job, o.pod):
        return None, None
    if facts.pod_is_terminating(o.pod):
        return step_while_terminating(o)
    wait = REPORT_SECONDS - _seconds_denied(o, job)
    report = o.report_of_current_pod
    has_reported = report is not None and report.state in ("Blocked", "Paused")
    if has_reported or wait <= 0 or facts.nothing_can_be_connected(o):
        return delete_step(o.pod), None
    return None, wait


def _seconds_denied(o: Observation, job: Job) -> float:
    """Return for how long the status of the job has shown the denial; 0 if it does not show it yet."""
    shown = next((each for each in job.status.conditions if is_denial(each)), None)
    return (o.now - shown.last_transition_time).total_seconds() if shown is not None else 0.0
