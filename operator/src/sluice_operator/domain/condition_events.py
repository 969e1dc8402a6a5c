"""The changes of conditions that are reported with Kubernetes Events."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract.status import Condition

from .actions import ConditionTransition
from .denial_causes import REASONS_WITH_NEW_FACTS

_TYPES_WITH_EVENTS: Final = (
    c.READY,
    c.PAUSED,
    c.CREDENTIALS_VALID,
    c.SINK_HEALTHY,
    c.CONNECTION_SLOT_ACQUIRED,
    c.POLICY_COMPLIANT,
    c.WRITE_BUDGET_AVAILABLE,
    c.STALLED,
    c.REPLACEMENT_PENDING,
)
_NORMALLY_TRUE_TYPES: Final = (
    c.CREDENTIALS_VALID,
    c.SINK_HEALTHY,
    c.CONNECTION_SLOT_ACQUIRED,
    c.POLICY_COMPLIANT,
    c.WRITE_BUDGET_AVAILABLE,
)
# Every new job passes through these states. In a burst of jobs, an Event about them would cost a write for each job.
_REASONS_OF_NORMAL_START: Final = (c.POD_CREATING, c.POD_PENDING, c.POD_STARTING)


def transitions_for_events(
    before: list[Condition], after: list[Condition], now: datetime
) -> tuple[ConditionTransition, ...]:
    """Return the changed conditions that are reported with Events, one for each reason.

    Ready and Stalled often have the same reason, which is reported only once. The end of a replay, and another reason
    of Stalled, are also reported, although the status of the condition stays True.
    """
    earlier_by_type = {each.type: each for each in before}
    found: dict[str, ConditionTransition] = {}
    for condition in after:
        earlier = earlier_by_type.get(condition.type)
        if not _has_changed(condition, earlier) or not _is_worth_an_event(condition, earlier):
            continue
        warning = _is_warning(condition)
        if condition.reason not in found or warning:
            is_flip = earlier is None or earlier.status != condition.status
            at = condition.last_transition_time if is_flip else now.replace(microsecond=0)
            dated = msgspec.structs.replace(condition, last_transition_time=at)
            found[condition.reason] = ConditionTransition(dated, warning)
    return tuple(found.values())


def _has_changed(condition: Condition, earlier: Condition | None) -> bool:
    """Return whether the status has changed, a replay has finished, or a stalled job has another reason.

    For some reasons, also another message is a change.
    """
    if earlier is None or condition.status != earlier.status:
        return True
    if condition.type == c.REPLACEMENT_PENDING:
        return condition.reason != earlier.reason
    if condition.type == c.STALLED:
        has_new_message = condition.reason in REASONS_WITH_NEW_FACTS and condition.message != earlier.message
        return condition.reason != earlier.reason or has_new_message
    return condition.reason == c.REPLAY_FINISHED and earlier.reason != c.REPLAY_FINISHED


def _is_worth_an_event(condition: Condition, earlier: Condition | None) -> bool:
    """Return whether a changed condition is reported with an Event.

    It is not reported while its status is Unknown or the pod applies a new spec, nor if a new job is not ready only
    because its pod starts. A condition that is normally True is reported only when it becomes False, and when it is
    True again.
    """
    if condition.type not in _TYPES_WITH_EVENTS or condition.status == "Unknown" or condition.reason == c.APPLYING_SPEC:
        return False
    if condition.type == c.READY and earlier is None and condition.reason in _REASONS_OF_NORMAL_START:
        return False
    if condition.type == c.REPLACEMENT_PENDING:
        return condition.reason == c.NOT_READY_IN_TIME  # hundreds of jobs may wait for their turn
    if condition.type in _NORMALLY_TRUE_TYPES and condition.status == "True":
        return earlier is not None and earlier.status == "False"
    return True


def _is_warning(condition: Condition) -> bool:
    """Return whether the Event about the condition has type Warning, not Normal."""
    if condition.type == c.READY:
        return False
    return condition.type in (c.STALLED, c.REPLACEMENT_PENDING) or condition.status == "False"
