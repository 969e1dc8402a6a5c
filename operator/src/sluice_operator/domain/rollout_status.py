"""What the status of a job says about the replacement of its pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sluice_contract import conditions as c
from sluice_contract.pod_replacement import PodReplacement

from . import facts
from .actions import PodFinding, ReadinessVerdict
from .objects import Job
from .observation import Observation, ReplacementTurn
from .rollout import seconds_left
from .status_conditions import UndatedCondition

# With these findings, the pod that was replaced is no reason why the job is not ready, or no new pod is created yet:
# while a pause object covers the job, there is none.
_OTHER_CAUSES: Final = frozenset(
    {
        c.DELETING,
        c.DOCUMENT_CONFLICT,
        c.PAUSED_REASON,
        c.POLICY_DENIED,
        c.QUOTA_EXCEEDED,
        c.SPEC_NOT_UNDERSTOOD,
        c.TENANT_CHANGED,
    }
)
_CHANGES: Final = {"Operator": "the operator's settings, such as the image of the pods,", "Spec": "a cold field"}


def waits_for_turn(o: Observation, finding: PodFinding | None) -> bool:
    """Return whether nothing but its turn in a rollout prevents the replacement of the pod."""
    return finding is None and o.turn is not None and not o.turn.is_granted


def replacement_to_store(
    o: Observation, job: Job, finding: PodFinding | None, verdict: ReadinessVerdict
) -> PodReplacement | None:
    """Return the record of the replacement for the status; None once the job is ready again with its new pod.

    It is also None if something else, such as a pause object, prevents the new pod. The record of a job that was not
    ready before is dropped at the deadline: its failure says nothing about the new pod, and it must not take the place
    of another job for ever.
    """
    if finding is not None and finding.replacement is not None:
        return finding.replacement
    record = job.status.replacement
    if record is None or (finding is not None and finding.verdict.reason in _OTHER_CAUSES):
        return None
    if record.state_before == "NotReady" and is_overdue(o, record):
        return None
    if not _start_is_credible(o, record):
        return None
    return None if _is_ready_with_new_pod(o, verdict) else record


def is_overdue(o: Observation, record: PodReplacement) -> bool:
    """Return whether the job should be ready again by now."""
    return seconds_left(record, o.now, o.progress_deadline_seconds) <= 0


def seconds_until_turn_or_deadline(o: Observation, job: Job) -> Iterator[float]:
    """Yield the seconds until the turn of an outdated pod may come, and until a replaced pod is overdue."""
    if o.turn is not None and o.turn.wait_seconds is not None:
        yield o.turn.wait_seconds
    record = job.status.replacement
    if record is not None and not is_overdue(o, record) and _start_is_credible(o, record):
        yield seconds_left(record, o.now, o.progress_deadline_seconds)


def verdict_if_changed_spec_waits(o: Observation, _: Job, finding: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the spec needs another pod, which waits because many jobs have changed."""
    if o.turn is None or o.turn.cause != "Spec" or not waits_for_turn(o, finding):
        return None
    return ReadinessVerdict(reason=_reason(o.turn), message=_waiting_message(o.turn), phase="Running")


def pending_condition(
    o: Observation, finding: PodFinding | None, stored: PodReplacement | None
) -> UndatedCondition | None:
    """Return the ReplacementPending condition; None if no pod waits for its replacement and the job is not overdue.

    `stored` is the record that the status gets.
    """
    if o.turn is not None and waits_for_turn(o, finding):
        return UndatedCondition(c.REPLACEMENT_PENDING, "True", _reason(o.turn), _waiting_message(o.turn))
    if stored is None or not is_overdue(o, stored):
        return None
    message = (
        f"The operator replaced the pod after a change of {_CHANGES.get(stored.cause, 'its settings')} at "
        f"{stored.started_at:%Y-%m-%dT%H:%M:%SZ}, and the job is not ready after {o.progress_deadline_seconds:.0f} s. "
        "Correct what condition Ready says, or go back to the previous image or spec. If many jobs fail like this one, "
        "no further pod is replaced until then."
    )
    return UndatedCondition(c.REPLACEMENT_PENDING, "True", c.NOT_READY_IN_TIME, message)


def _reason(turn: ReplacementTurn) -> str:
    return c.ROLLOUT_STOPPED if turn.is_stopped else c.WAITING_FOR_TURN


def _waiting_message(turn: ReplacementTurn) -> str:
    scope = "of this namespace " if turn.cause == "Spec" else ""
    if turn.is_stopped:
        way = (
            "Correct those whose condition ReplacementPending has the reason NotReadyInTime, or undo their changes."
            if turn.cause == "Spec"
            else "The administrator of the platform corrects the image or setting, or goes back to the previous one."
        )
        rest = f"Other jobs {scope}did not become ready in time after the same kind of change. {way}"
    else:
        rest = f"It waits for its turn: only a share of the jobs {scope}is replaced at a time. Nothing is to be done."
    return f"The pod is from before a change of {_CHANGES[turn.cause]} and continues as it is. {rest}"


def _start_is_credible(o: Observation, record: PodReplacement) -> bool:
    """Return whether the start is no later than now, apart from a difference of clocks."""
    return seconds_left(record, o.now, o.progress_deadline_seconds) <= 2 * o.progress_deadline_seconds


def _is_ready_with_new_pod(o: Observation, verdict: ReadinessVerdict) -> bool:
    if not verdict.ready:
        return False
    if verdict.reason == c.REPLAY_FINISHED:
        return True
    is_current = o.pod is not None and not facts.pod_is_outdated(o.pod, o.cold_hash)
    return is_current and o.report_of_current_pod is not None
