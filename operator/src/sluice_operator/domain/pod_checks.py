"""The checks of the job's pod, in order. Each returns a finding if it applies; the first finding decides the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract.status import Condition

from . import facts, restarts, stops
from .actions import (
    ApplyAccountAndRoleBinding,
    ConditionTransition,
    CreatePod,
    DeletePod,
    PodFinding,
    ReadinessVerdict,
    RefreshFromAPI,
)
from .denial_checks import finding_if_platform_denies_spec
from .document_claims import DocumentConflict
from .early_deletions import finding_if_pod_is_deleted_early
from .findings import (
    UNWATCHED_POD_LOOK_SECONDS,
    delete_step,
    progressing_finding,
    stalled_finding,
    step_while_terminating,
)
from .objects import Job
from .observation import Observation
from .pause_checks import finding_if_pause_object_covers_job
from .pod_mutation_checks import finding_if_changed_pods_are_retried_later, finding_if_pod_was_changed
from .policy_checks import finding_if_creation_is_withheld, finding_if_replacement_is_withheld
from .policy_denial_checks import finding_if_policy_denies_job
from .refusals import failure_message, refusal_message
from .restart_checks import finding_if_pod_has_ended, finding_if_restart_is_not_due
from .tenant_checks import finding_if_tenant_has_changed

_NAMES_SHOWN: Final = 5
_MESSAGE_LENGTH: Final = 1024
_OUTDATED: Final = "The job needs a different pod; the operator creates it when the old one is gone."
_TERMINATING: Final = "The old pod is terminating; the operator creates a new one when it is gone."

PodCheck = Callable[[Observation, Job], PodFinding | None]


def finding_if_stop_is_not_confirmed(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that deletes the pod if it has not confirmed a stop for 14 s.

    The pod may be cut off, frozen, or unable to report.
    """
    if o.pod is None or facts.pod_is_terminating(o.pod) or not stops.enforcement_is_due(o):
        return None
    symbols = stops.symbols_with_unconfirmed_pause(o)
    stop = "the stop" if stops.pause_is_pending(o) else f"the pause of {_first_symbols_text(tuple(sorted(symbols)))}"
    message = (
        f"Pod {o.pod.metadata.name} did not confirm {stop} within {stops.ENFORCEMENT_SECONDS:.0f} s, so the operator "
        f"deletes it."
    )
    event = ConditionTransition(paused_condition_for_stop_event(o, message), warning=True)
    step = DeletePod(o.pod.metadata.uid, o.pod.metadata.resource_version, enforces=event)
    verdict = ReadinessVerdict(reason=c.PAUSING, message=message, phase="Pausing")
    return PodFinding(verdict=verdict, step=step, restart=restarts.restart_record_after_exit(o, o.pod))


def paused_condition_for_stop_event(o: Observation, message: str) -> Condition:
    """Return the condition that the Event about an enforced stop reports."""
    generation = o.job.metadata.generation if o.job is not None else 0
    at = o.now.replace(microsecond=0)
    return Condition(
        type=c.PAUSED,
        status="False",
        reason=c.STOP_ENFORCED,
        message=message,
        last_transition_time=at,
        observed_generation=generation,
    )


def finding_if_job_is_being_deleted(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that deletes the pod if the deletion of the job is requested.

    The deletion is a stop, even if a finalizer of another controller keeps the job object.
    """
    if not stops.job_is_being_deleted(job):
        return None
    holders = ", ".join(job.metadata.finalizers) or "none"
    message = f"The job is being deleted and streams nothing. Finalizers that hold it: {holders}."
    verdict = ReadinessVerdict(reason=c.DELETING, message=message[:_MESSAGE_LENGTH], phase="Stopped")
    step = None
    if o.pod is not None and facts.pod_was_created_by_operator(o.pod) and not facts.pod_is_terminating(o.pod):
        step = delete_step(o.pod)
    return PodFinding(verdict=verdict, step=step)


def finding_if_spec_is_not_understood(_: Observation, job: Job) -> PodFinding | None:
    """Return a finding without a step if the operator does not understand the spec. A running pod keeps its spec."""
    if job.spec is not None:
        return None
    message = (
        f"{job.problem}. A running pod keeps the last spec that it understood; if there is no pod, none is created. "
        "Correct the field, or upgrade the operator."
    )
    return PodFinding(
        verdict=ReadinessVerdict(reason=c.SPEC_NOT_UNDERSTOOD, message=message, phase="Degraded", stalled=True)
    )


def finding_if_pod_is_foreign(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding if a pod that is not of this job has the name of its pod. The operator does not touch that pod.

    The pod is read live every 10 s, because the watch may not show it.
    """
    if o.pod is None or not facts.pod_is_foreign(job, o.pod):
        return None
    message = (
        f"Pod {o.pod.metadata.name} exists and does not belong to this job: delete it, or give the job another name. "
        "The operator changed nothing."
    )
    return stalled_finding(c.NAME_CONFLICT, message, step=RefreshFromAPI(), requeue_after=UNWATCHED_POD_LOOK_SECONDS)


def finding_if_documents_are_claimed(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that deletes the pod if an older job writes the same documents: a document has one writer."""
    if o.conflict is None:
        return None
    message = _conflict_message(o.conflict)
    if o.pod is None:
        return stalled_finding(c.DOCUMENT_CONFLICT, message)
    if not facts.pod_is_terminating(o.pod):
        return stalled_finding(c.DOCUMENT_CONFLICT, message, step=delete_step(o.pod))
    step, again = step_while_terminating(o)
    return stalled_finding(c.DOCUMENT_CONFLICT, message, step=step, requeue_after=again)


def finding_if_pod_is_terminating(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that waits if the pod is terminating: until its object is gone, it may still be connected."""
    if o.pod is None or not facts.pod_is_terminating(o.pod):
        return None
    step, again = step_while_terminating(o)
    # The status of an outdated pod stays as it was before its deletion, so that it is not written twice.
    message = _OUTDATED if facts.pod_is_outdated(o.pod, o.cold_hash) else _TERMINATING
    return progressing_finding(c.POD_REPLACING, message, step, again)


def finding_if_pod_is_of_earlier_job(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that deletes the pod if it belongs to a deleted job of the same name, or has lost its owner."""
    if o.pod is None or o.pod.is_owned_by(job):
        return None
    message = "A pod of an earlier job with this name still exists; the operator deletes it first."
    return progressing_finding(c.POD_REPLACING, message, delete_step(o.pod))


def finding_if_pod_is_outdated(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that deletes the pod if a cold field or a pod setting of the operator has changed.

    While the pod waits for its turn in a rollout, there is no finding: it continues as it is.
    """
    if o.pod is None or not facts.pod_is_outdated(o.pod, o.cold_hash):
        return None
    if o.turn is not None and not o.turn.is_granted:
        return None
    finding = progressing_finding(c.POD_REPLACING, _OUTDATED, delete_step(o.pod))
    return msgspec.structs.replace(finding, replacement=o.turn.record if o.turn is not None else None)


def finding_if_tape_is_finished(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding if the replay is finished and its pod has exited or is gone.

    The exited pod stays, so that its log can be read. It is deleted if containers that a webhook has injected still
    run, because they never end by themselves. A pod that was created before the operator knew that an earlier one has
    finished is deleted too, so that the tape is not streamed twice.
    """
    if not facts.tape_is_finished(o):
        return None
    if o.pod is not None and o.report_of_current_pod is not None and not facts.pod_has_ended(o.pod):
        return None
    verdict = ReadinessVerdict(
        ready=True, reason=c.REPLAY_FINISHED, message="The tape was streamed to its end.", phase="Stopped"
    )
    if o.pod is None or facts.pod_phase_is_final(o.pod) or facts.pod_is_terminating(o.pod):
        return PodFinding(verdict=verdict)
    return PodFinding(verdict=verdict, step=delete_step(o.pod))


def finding_if_api_server_refused(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that retries once a minute if quota, admission or Pod Security refused the pod.

    Only time can trigger the retry, because the fix may not change the job. A request that failed in another way, for
    example because a webhook does not answer, is retried in each reconciliation: the work queue slows them down. The
    first failure is not reported yet.
    """
    refusal = o.refusal
    if o.pod is not None or refusal is None or refusal.generation != job.metadata.generation or refusal.failures == 1:
        return None
    message = failure_message(refusal.message) if refusal.failures else refusal_message(refusal.message)
    wait = facts.REFUSAL_RETRY_SECONDS - refusal.age_seconds
    if wait > 0 and not refusal.failures:
        return stalled_finding(c.POD_REJECTED, message, requeue_after=wait)
    if not o.account_is_applied:
        return stalled_finding(c.POD_REJECTED, message, step=ApplyAccountAndRoleBinding())
    return stalled_finding(c.POD_REJECTED, message, step=CreatePod(facts.next_epoch(o)))


def finding_if_account_is_not_applied(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that applies the ServiceAccount and RoleBinding, if that is not done and there is no pod yet."""
    if o.pod is not None or o.account_is_applied:
        return None
    return progressing_finding(c.POD_CREATING, "The operator is about to create the pod.", ApplyAccountAndRoleBinding())


def finding_if_pod_is_missing(o: Observation, _: Job) -> PodFinding | None:
    """Return a finding that creates the pod if there is none. The pod carries its epoch, so no write comes before."""
    if o.pod is not None:
        return None
    step = CreatePod(facts.next_epoch(o))
    return progressing_finding(c.POD_CREATING, "The operator is about to create the pod.", step)


POD_CHECKS: Final[tuple[PodCheck, ...]] = (
    finding_if_stop_is_not_confirmed,
    finding_if_job_is_being_deleted,
    finding_if_policy_denies_job,
    finding_if_spec_is_not_understood,
    finding_if_pod_was_changed,
    finding_if_pod_is_foreign,
    finding_if_documents_are_claimed,
    finding_if_tenant_has_changed,
    finding_if_tape_is_finished,
    finding_if_pod_is_terminating,
    finding_if_pod_is_of_earlier_job,
    finding_if_platform_denies_spec,
    finding_if_replacement_is_withheld,
    finding_if_pod_is_outdated,
    finding_if_pod_has_ended,
    finding_if_creation_is_withheld,
    finding_if_changed_pods_are_retried_later,
    finding_if_pause_object_covers_job,
    finding_if_api_server_refused,
    finding_if_restart_is_not_due,
    finding_if_pod_is_deleted_early,
    finding_if_account_is_not_applied,
    finding_if_pod_is_missing,
)


def first_finding(observation: Observation, job: Job) -> PodFinding | None:
    """Return the finding of the first check that applies; None if the right pod exists and is not terminating."""
    return next((found for check in POD_CHECKS if (found := check(observation, job)) is not None), None)


def _conflict_message(conflict: DocumentConflict) -> str:
    """Return a message that names the older job, one shared document, and the way to resolve the conflict."""
    found, way = {
        "heartbeat": (
            f"heartbeat document {conflict.name}",
            "give this job its own heartbeat document in spec.heartbeat.document",
        ),
        "quotes": (
            f"the quotes of {conflict.name}",
            "let only one of the two jobs list each symbol, or set another "
            "spec.firestore.liveQuotesCollection in this job",
        ),
        "bars": (f"the bars of {conflict.name}", "remove bars from spec.channels of one of the two jobs"),
    }[conflict.kind]
    holder = "/".join(conflict.holder)
    return f"Job {holder} of the same tenant is older and writes {found}: {way}. Until then, no pod runs for this job."


def _first_symbols_text(symbols: tuple[str, ...]) -> str:
    shown, more = ", ".join(symbols[:_NAMES_SHOWN]), len(symbols) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
