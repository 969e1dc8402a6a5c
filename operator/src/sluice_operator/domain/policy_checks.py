"""The checks that withhold a pod while the admission policies are not proven to limit the operator's account.

They withhold creations only: stops and deletions of jobs are decided by earlier checks.
"""

from __future__ import annotations

from sluice_contract import conditions as c

from . import facts
from .actions import PodFinding
from .findings import progressing_finding, stalled_finding
from .objects import Job
from .observation import Observation


def finding_if_replacement_is_withheld(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that keeps an outdated pod while the pod that would replace it is withheld."""
    if o.policy_problem is None or o.pod is None or not facts.pod_is_outdated(o.pod, o.cold_hash):
        return None
    message = (
        "The spec needs a different pod than the existing one, which keeps running with the earlier spec until the "
        f"operator may create pods. {o.policy_problem.message}"
    )
    return progressing_finding(c.POLICIES_NOT_PROVEN, message, step=None)


def finding_if_creation_is_withheld(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that creates no pod. The operator reconciles all jobs when the policies are proven."""
    if o.policy_problem is None or o.pod is not None:
        return None
    message = f"The operator creates no pod. {o.policy_problem.message}"
    if o.policy_problem.needs_action:
        return stalled_finding(c.POLICIES_NOT_PROVEN, message)
    return progressing_finding(c.POLICIES_NOT_PROVEN, message, step=None)
