"""The status of a pause object: whether it is in force, and whether the jobs that it covers have acknowledged it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from sluice_contract import pause_conditions as c
from sluice_contract.pauses import PauseStatus
from sluice_contract.status import Condition

from .pause_objects import PauseObject

ACKNOWLEDGEMENT_SECONDS: Final = 10.0
MAX_NAMES: Final = 20  # of the jobs that have not acknowledged the pause
_MESSAGE_CHARACTERS: Final = 1024


class PauseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs a pause stops, wholly or in part, and how many of them have acknowledged it.

    `waiting_for` are the names of the first jobs that have not. `waiting_seconds` is since when there are any; 0 if
    there are none.
    """

    selected: int
    acknowledged: int
    waiting_for: tuple[str, ...] = ()
    waiting_seconds: float = 0.0

    @property
    def are_complete(self) -> bool:
        """Whether each job has acknowledged the pause."""
        return self.acknowledged >= self.selected


class _UndatedCondition(msgspec.Struct, frozen=True):
    type: str
    status: str
    reason: str
    message: str


def status_of_pause(pause: PauseObject, counts: PauseCounts, now: datetime, access_problem: str = "") -> PauseStatus:
    """Return the status to write. The names of jobs are only in that of an IngestPause.

    `access_problem` is a sentence that says why running pods cannot see pauses of this kind, and what to do; it may be
    empty.
    """
    is_in_force = pause.is_in_force(now)
    undated = _conditions_in_force(pause, counts, access_problem) if is_in_force else [_expired_condition(pause)]
    earlier = {each.type: each for each in pause.status.conditions}
    return PauseStatus(
        observed_generation=pause.metadata.generation,
        acknowledged=f"{counts.acknowledged}/{counts.selected}" if is_in_force else None,
        waiting_for=list(counts.waiting_for[:MAX_NAMES]) if is_in_force and not pause.is_of_cluster else [],
        conditions=[_dated(each, earlier.get(each.type), now, pause) for each in undated],
    )


def _expired_condition(pause: PauseObject) -> _UndatedCondition:
    message = (
        f"The pause ended at {pause.spec.until:%Y-%m-%dT%H:%M:%SZ}. Delete it, or set a later time in spec.until to "
        "pause again."
    )
    return _UndatedCondition(c.IN_FORCE, "False", c.EXPIRED, message)


def _conditions_in_force(pause: PauseObject, counts: PauseCounts, access_problem: str) -> list[_UndatedCondition]:
    if counts.selected == 0:
        message = f"{_problem_sentence(pause)}The pause is in force and covers no job{_hint(pause)}."
        return [
            _UndatedCondition(c.IN_FORCE, "True", c.NOTHING_SELECTED, message),
            _UndatedCondition(c.ACKNOWLEDGED, "True", c.NOTHING_SELECTED, message),
        ]
    count = "1 job" if counts.selected == 1 else f"{counts.selected} jobs"
    message = f"{_problem_sentence(pause)}The pause is in force for {count}."
    in_force = _UndatedCondition(c.IN_FORCE, "True", c.IN_FORCE_REASON, message)
    if counts.are_complete:
        done = "The job has acknowledged the pause." if counts.selected == 1 else f"All {count} have acknowledged it."
        return [in_force, _UndatedCondition(c.ACKNOWLEDGED, "True", c.ACKNOWLEDGED_REASON, done)]
    reason, waiting = _waiting_reason_and_message(counts, access_problem)
    return [
        in_force,
        _UndatedCondition(c.ACKNOWLEDGED, "False", reason, waiting),
        _UndatedCondition(c.RECONCILING, "True", reason, waiting),
    ]


def _waiting_reason_and_message(counts: PauseCounts, access_problem: str) -> tuple[str, str]:
    acknowledged = f"{counts.acknowledged} of {counts.selected} jobs have acknowledged the pause."
    if counts.waiting_seconds < ACKNOWLEDGEMENT_SECONDS:
        return c.WAITING, acknowledged
    message = (
        f"{acknowledged} The others may still be connected. The operator deletes a pod that streams and has not "
        f"confirmed the pause after 15 s. {access_problem}"
    )
    return c.NOT_ACKNOWLEDGED, message.strip()[:_MESSAGE_CHARACTERS]


def _problem_sentence(pause: PauseObject) -> str:
    if not pause.problem:
        return ""
    return f"{pause.problem}; until you correct it, the pause covers all that it could mean. "


def _hint(pause: PauseObject) -> str:
    parts = "providers and feeds" if pause.is_of_cluster else "names and labels"
    symbols = " and symbols" if not pause.pauses_whole_jobs else ""
    return f": compare its {parts}{symbols} with those of the jobs"


def _dated(condition: _UndatedCondition, earlier: Condition | None, now: datetime, pause: PauseObject) -> Condition:
    """Return the condition with the time at which its status last changed, in whole seconds like metav1.Time."""
    has_changed = earlier is None or earlier.status != condition.status
    return Condition(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        last_transition_time=now.replace(microsecond=0)
        if earlier is None or has_changed
        else earlier.last_transition_time,
        observed_generation=pause.metadata.generation,
    )
