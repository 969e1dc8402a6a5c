"""The checks of a pod that a webhook or a policy of the cluster has changed when it was created."""

from __future__ import annotations

from typing import Final

from sluice_contract import conditions as c

from . import facts
from .actions import ApplyAccountAndRoleBinding, CreatePod, PodFinding
from .findings import delete_step, progressing_finding, stalled_finding, step_while_terminating
from .objects import Job
from .observation import Observation, PodMutation

# One changed pod may be a coincidence, for example while a webhook is being installed.
_PODS_IN_A_ROW: Final = 2
RETRY_SECONDS: Final = 600.0


def finding_if_pod_was_changed(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that deletes a pod which differs from the requested pod in a field that Sluice reads.

    Such a pod cannot work, or the operator cannot watch it. From the second such pod in a row on, the job is stalled.
    """
    if o.pod is None or o.mutation is None or o.pod.metadata.uid != o.mutation.pod_uid:
        return None
    step, again = step_while_terminating(o) if facts.pod_is_terminating(o.pod) else (delete_step(o.pod), None)
    if o.mutation.pods_in_a_row >= _PODS_IN_A_ROW:
        return stalled_finding(c.POD_MUTATED, _message(o.mutation), step=step, requeue_after=again)
    message = f"The pod was created with a change: {o.mutation.difference} The operator replaces it."
    return progressing_finding(c.POD_REPLACING, message, step, again)


def finding_if_changed_pods_are_retried_later(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that creates a pod every 10 minutes while each created pod has been changed.

    Only time can trigger the retry, because the fix does not change the job. A spec that needs another pod is tried at
    once: the observation then has no mutation.
    """
    if o.pod is not None or o.mutation is None or o.mutation.pods_in_a_row < _PODS_IN_A_ROW:
        return None
    wait, message = RETRY_SECONDS - o.mutation.age_seconds, _message(o.mutation)
    if wait > 0:
        return stalled_finding(c.POD_MUTATED, message, requeue_after=wait)
    if not o.account_is_applied:
        return stalled_finding(c.POD_MUTATED, message, step=ApplyAccountAndRoleBinding())
    return stalled_finding(c.POD_MUTATED, message, step=CreatePod(facts.next_epoch(o)))


def _message(mutation: PodMutation) -> str:
    return (
        f"A webhook or a policy of the cluster changes the job's pod when it is created, so no pod runs: "
        f"{mutation.difference} Exempt the pods of the ServiceAccount sluice-ingest from it (kubectl get "
        f"mutatingwebhookconfigurations). The operator retries every {RETRY_SECONDS / 60:.0f} minutes."
    )
