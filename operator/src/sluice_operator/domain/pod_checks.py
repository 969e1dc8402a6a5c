"""The checks of the job's pod, in order. The first check that applies determines the step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sluice_contract import conditions as c
from sluice_contract.status import Condition

from . import facts, stops
from .actions import CreatePod, DeletePod, EnsureAccount, Finding, RefreshFromAPI, Step, Transition, Verdict
from .document_claims import DocumentConflict
from .objects import Job, Pod
from .observation import Observation

FOREIGN_POD_LOOK_SECONDS: Final = 10.0
_NAMES_SHOWN: Final = 5
_MESSAGE_LENGTH: Final = 1024

Check = Callable[[Observation, Job], Finding | None]


def stop_is_not_confirmed(o: Observation, _: Job) -> Finding | None:
    """Delete a pod that has not confirmed a stop for 14 s: it may be cut off, frozen, or unable to report."""
    if o.pod is None or facts.pod_is_terminating(o.pod) or not stops.enforcement_is_due(o):
        return None
    symbols = stops.unconfirmed_symbol_pauses(o)
    stop = "the stop" if stops.pause_is_pending(o) else f"the pause of {_first_names(tuple(sorted(symbols)))}"
    message = (
        f"Pod {o.pod.metadata.name} did not confirm {stop} within {stops.ENFORCEMENT_SECONDS:.0f} s, so the operator "
        f"deletes it."
    )
    event = Transition(enforcement_condition(o, message), warning=True)
    step = DeletePod(o.pod.metadata.uid, o.pod.metadata.resource_version, enforces=event)
    verdict = Verdict(reason=c.PAUSING, message=message, phase="Pausing")
    return Finding(verdict=verdict, step=step, restart=facts.next_restart(o, o.pod))


def enforcement_condition(o: Observation, message: str) -> Condition:
    """Return the condition from which the Event of the deletion is made."""
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


def job_is_being_deleted(o: Observation, job: Job) -> Finding | None:
    """The deletion of a job is a stop, even if a finalizer of another controller holds the job: no pod runs then."""
    if not stops.job_is_being_deleted(job):
        return None
    holders = ", ".join(job.metadata.finalizers) or "none"
    message = f"The job is being deleted and streams nothing. Finalizers that hold it: {holders}."
    verdict = Verdict(reason=c.DELETING, message=message[:_MESSAGE_LENGTH], phase="Stopped")
    step = None
    if o.pod is not None and facts.pod_was_created_by_operator(o.pod) and not facts.pod_is_terminating(o.pod):
        step = _delete(o.pod)
    return Finding(verdict=verdict, step=step)


def spec_is_not_understood(_: Observation, job: Job) -> Finding | None:
    """Do not retry: only another spec or another operator can change this. A running pod keeps its last spec."""
    if job.spec is not None:
        return None
    message = (
        f"{job.problem}. A running pod keeps the last spec that it understood; if there is no pod, none is created. "
        "Correct the field, or upgrade the operator."
    )
    return Finding(verdict=Verdict(reason=c.SPEC_NOT_UNDERSTOOD, message=message, phase="Degraded", stalled=True))


def pod_is_foreign(o: Observation, job: Job) -> Finding | None:
    """Do not touch a pod that has the job's pod name and is not the job's. Read it live: it may not be watched."""
    if o.pod is None or not facts.pod_is_foreign(job, o.pod):
        return None
    message = (
        f"Pod {o.pod.metadata.name} exists and does not belong to this job: delete it, or give the job another name. "
        "The operator changed nothing."
    )
    return _stalled(c.NAME_CONFLICT, message, step=RefreshFromAPI(), requeue_after=FOREIGN_POD_LOOK_SECONDS)


def documents_are_claimed(o: Observation, _: Job) -> Finding | None:
    """An older job writes the same documents. Two writers would alternate, and readers could trust neither."""
    if o.conflict is None:
        return None
    message = _claimed_words(o.conflict)
    if o.pod is None:
        return _stalled(c.DOCUMENT_CONFLICT, message)
    if not facts.pod_is_terminating(o.pod):
        return _stalled(c.DOCUMENT_CONFLICT, message, step=_delete(o.pod))
    step, again = _wait_for_its_end(o.pod)
    return _stalled(c.DOCUMENT_CONFLICT, message, step=step, requeue_after=again)


def pod_is_terminating(o: Observation, _: Job) -> Finding | None:
    """A terminating pod may still be connected, so nothing new starts before its object is gone."""
    if o.pod is None or not facts.pod_is_terminating(o.pod):
        return None
    step, again = _wait_for_its_end(o.pod)
    return _moving(
        c.POD_REPLACING, "The old pod is terminating; the operator creates a new one when it is gone.", step, again
    )


def pod_is_of_an_earlier_job(o: Observation, job: Job) -> Finding | None:
    """The job was deleted and created again with the same name."""
    if o.pod is None or facts.pod_is_of(job, o.pod):
        return None
    message = "A pod of an earlier job with this name still exists; the operator deletes it first."
    return _moving(c.POD_REPLACING, message, _delete(o.pod))


def pod_is_outdated(o: Observation, _: Job) -> Finding | None:
    """A cold field or the operator's pod settings changed."""
    if o.pod is None or not facts.pod_is_outdated(o.pod, o.cold_hash):
        return None
    message = "The spec needs a different pod than the existing one; the operator replaces the pod."
    return _moving(c.POD_REPLACING, message, _delete(o.pod))


def tape_is_finished(o: Observation, _: Job) -> Finding | None:
    """The replay is finished, and its pod exited or is gone: there is nothing more to run."""
    if not facts.tape_is_finished(o) or (o.pod is not None and not facts.pod_has_ended(o.pod)):
        return None
    verdict = Verdict(
        ready=True, reason=c.REPLAY_FINISHED, message="The tape was streamed to its end.", phase="Stopped"
    )
    return Finding(verdict=verdict)


def pod_has_ended(o: Observation, _: Job) -> Finding | None:
    """The pod was evicted, fenced, or failed for good. Its exit is counted before the pod is deleted."""
    if o.pod is None or not facts.pod_has_ended(o.pod):
        return None
    restart = facts.next_restart(o, o.pod)
    message = (
        f"The pod exited ({facts.last_words(o.pod)}); the operator creates a new one {_time_phrase(restart.next_at)}."
    )
    verdict = Verdict(reason=c.POD_RESTARTING, message=message, phase="Degraded")
    return Finding(verdict=verdict, step=_delete(o.pod), restart=restart)


def api_server_refused(o: Observation, job: Job) -> Finding | None:
    """Quota, admission or Pod Security refuse the pod. Retry regularly, because the fix may not touch the job."""
    if o.pod is not None or o.refusal is None or o.refusal.generation != job.metadata.generation:
        return None
    message = (
        f"The API server refuses the pod: {o.refusal.message}. Correct the cause; the operator retries once a minute."
    )
    wait = facts.REFUSAL_RETRY_SECONDS - o.refusal.age_seconds
    if wait > 0:
        return _stalled(c.POD_REJECTED, message, requeue_after=wait)
    if not o.account_is_ensured:
        return _stalled(c.POD_REJECTED, message, step=EnsureAccount())
    # No pod has the refused epoch, so a retry can use it without another status write.
    unused = o.refusal.epoch is not None and o.refusal.epoch == job.status.epoch
    epoch = o.refusal.epoch if unused and o.refusal.epoch else facts.next_epoch(o)
    return _stalled(c.POD_REJECTED, message, step=CreatePod(epoch), epoch=epoch)


def restart_is_not_due(o: Observation, job: Job) -> Finding | None:
    """Wait for the backoff between pods that exit by themselves."""
    restart = job.status.restart
    if o.pod is not None or restart is None or restart.next_at <= o.now:
        return None
    message = f"The last pod exited by itself; the operator creates a new one {_time_phrase(restart.next_at)}."
    verdict = Verdict(reason=c.POD_RESTARTING, message=message, phase="Degraded")
    return Finding(verdict=verdict, requeue_after=(restart.next_at - o.now).total_seconds())


def account_is_missing(o: Observation, _: Job) -> Finding | None:
    """A pod cannot be created before its ServiceAccount, and cannot report before its RoleBinding."""
    if o.pod is not None or o.account_is_ensured:
        return None
    return _moving(c.POD_CREATING, "The operator is about to create the pod.", EnsureAccount())


def pod_is_missing(o: Observation, _: Job) -> Finding | None:
    """Create the pod. The raised epoch is written first, so that it can never be used twice."""
    if o.pod is not None:
        return None
    epoch = facts.next_epoch(o)
    verdict = Verdict(reason=c.POD_CREATING, message="The operator is about to create the pod.", phase="Pending")
    return Finding(verdict=verdict, step=CreatePod(epoch), epoch=epoch)


PLACEMENT: Final[tuple[Check, ...]] = (
    stop_is_not_confirmed,
    job_is_being_deleted,
    spec_is_not_understood,
    pod_is_foreign,
    documents_are_claimed,
    pod_is_terminating,
    pod_is_of_an_earlier_job,
    pod_is_outdated,
    tape_is_finished,
    pod_has_ended,
    api_server_refused,
    restart_is_not_due,
    account_is_missing,
    pod_is_missing,
)


def finding(observation: Observation, job: Job) -> Finding | None:
    """Return the finding of the first check that applies. None: the right pod exists and is not terminating."""
    return next((found for check in PLACEMENT if (found := check(observation, job)) is not None), None)


def _stalled(
    reason: str, message: str, step: Step = None, requeue_after: float | None = None, epoch: int | None = None
) -> Finding:
    verdict = Verdict(reason=reason, message=message, phase="Failed", stalled=True)
    return Finding(verdict=verdict, step=step, requeue_after=requeue_after, epoch=epoch)


def _moving(reason: str, message: str, step: Step, requeue_after: float | None = None) -> Finding:
    verdict = Verdict(reason=reason, message=message, phase="Pending")
    return Finding(verdict=verdict, step=step, requeue_after=requeue_after)


def _delete(pod: Pod) -> DeletePod:
    return DeletePod(uid=pod.metadata.uid, resource_version=pod.metadata.resource_version)


def _wait_for_its_end(pod: Pod) -> tuple[Step, float | None]:
    """Return the step, and when to look again. The end of a pod without the operator's label is not watched."""
    return (None, None) if facts.pod_has_operator_label(pod) else (RefreshFromAPI(), FOREIGN_POD_LOOK_SECONDS)


def _time_phrase(instant: datetime) -> str:
    return f"after {instant:%H:%M:%S} UTC"


def _claimed_words(conflict: DocumentConflict) -> str:
    """Return the message: the older job, the shared documents, and the ways to resolve the conflict."""
    found, ways = [], []
    if conflict.heartbeat:
        found.append(f"heartbeat document {conflict.heartbeat}")
        ways.append("give this job its own heartbeat document in spec.heartbeat.document")
    if conflict.quotes:
        found.append(f"the quotes of {_first_names(conflict.quotes)}")
        ways.append(
            "remove the symbols from one of the two jobs, or set another "
            "spec.firestore.liveQuotesCollection in this job"
        )
    if conflict.bars:
        found.append(f"the bars of {_first_names(conflict.bars)}")
        ways.append("remove bars from spec.channels of one of the two jobs")
    holder = "/".join(conflict.holder)
    return (
        f"Job {holder} of the same tenant is older and writes {', '.join(found)}: {'; '.join(ways)}. "
        "Until then, no pod runs for this job."
    )


def _first_names(symbols: tuple[str, ...]) -> str:
    shown, more = ", ".join(symbols[:_NAMES_SHOWN]), len(symbols) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
