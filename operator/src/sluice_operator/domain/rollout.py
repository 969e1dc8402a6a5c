"""The rules of a rollout: which outdated pod is replaced now, and which one waits for its turn.

A rollout is the replacement of the pods of many jobs, after a change of the runtime's image or of another setting of
the operator, or of a cold field of many jobs. Stops are no rollout: they never wait.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from sluice_contract.pod_replacement import PodReplacement, ReplacementCause, StateBeforeReplacement

from . import facts, stops
from .observation import Observation, ReplacementTurn

# So many jobs of a namespace are replaced at once after changes of their own specs: one person's changes do not wait.
FEW_JOBS: Final = 3
# After the start of an operator, for the changes of the operator: by then its cache has what an earlier leader wrote.
HOLD_SECONDS: Final = 15.0

_SHARE: Final = re.compile(r"(?P<number>[0-9]{1,6})(?P<percent>%?)")
_ACCEPTED: Final = "write a number of jobs from 1 to 100000, or a percentage from 1% to 100%"


class MaxUnavailable(msgspec.Struct, frozen=True):
    """The largest number of jobs that a rollout may interrupt at a time: a number, or a percentage of all jobs."""

    number: int = 10
    is_percentage: bool = True

    def of(self, jobs: int) -> int:
        """Return the number of jobs, of this many in all; at least 1."""
        return max(1, jobs * self.number // 100 if self.is_percentage else self.number)


class RolloutSettings(msgspec.Struct, frozen=True):
    """The settings of rollouts."""

    max_unavailable: MaxUnavailable = MaxUnavailable()
    progress_deadline_seconds: float = 300.0


class ReplacementRequest(msgspec.Struct, frozen=True):
    """An outdated pod: why it has to be replaced, and what its job does now."""

    cause: ReplacementCause
    state: StateBeforeReplacement


class RolloutProgress(msgspec.Struct, frozen=True):
    """The progress of the rollout that a request belongs to: that of the operator's settings, or that of a namespace.

    `jobs` is the number of jobs that it concerns at most. Of the jobs whose pods were replaced and that are not ready
    again, `in_progress` is the number, and `overdue` the number of those that are not ready in time. `idle_first` is
    whether another pod waits whose job loses nothing.
    """

    jobs: int
    in_progress: int
    overdue: int
    idle_first: bool = False


def parse_max_unavailable(text: str) -> MaxUnavailable:
    """Return the setting from a text such as `10%` or `4`.

    Raises:
        ValueError: the text is neither. The message says what to write.
    """
    found = _SHARE.fullmatch(text)
    number, is_percentage = (int(found["number"]), bool(found["percent"])) if found else (0, False)
    if not 1 <= number <= (100 if is_percentage else 100_000):
        raise ValueError(_ACCEPTED)
    return MaxUnavailable(number, is_percentage)


def replacement_request(o: Observation) -> ReplacementRequest | None:
    """Return the request to replace the job's pod; None if it is not outdated, or is replaced for another reason too.

    Such a reason is that the pod has ended or terminates, or that it has lost the label by which the operator watches
    it.
    """
    job, pod = o.job, o.pod
    if job is None or pod is None or not pod.is_owned_by(job) or not facts.pod_has_operator_label(pod):
        return None
    if facts.pod_is_terminating(pod) or facts.pod_has_ended(pod) or not facts.pod_is_outdated(pod, o.cold_hash):
        return None
    hash_of_pod = facts.pod_spec_hash(pod)
    # A pod of an earlier operator has no such hash. What has changed is then unknown.
    cause: ReplacementCause = "Spec" if hash_of_pod and hash_of_pod != o.spec_hash else "Operator"
    return ReplacementRequest(cause, state_before_replacement(o))


def state_before_replacement(o: Observation) -> StateBeforeReplacement:
    """Return what the job does now, by which its turn is decided: an idle job loses nothing if its pod is replaced."""
    report = o.report_of_current_pod
    if stops.pause_is_requested(o) or stops.pause_reported_by_pod(o) is not None:
        return "Idle"
    if report is None or report.state not in ("Live", "Finished") or not report.sink.healthy:
        return "NotReady"
    if facts.heartbeat_is_stale(o):
        return "NotReady"
    fresh = report.freshness
    market_is_closed = fresh is not None and fresh.closed > 0 and fresh.live == fresh.stale == 0
    return "Idle" if market_is_closed or report.state == "Finished" else "Streaming"


def replacement_turn(
    request: ReplacementRequest,
    earlier: PodReplacement | None,
    progress: RolloutProgress,
    settings: RolloutSettings,
    now: datetime,
) -> ReplacementTurn:
    """Return whether the pod is replaced now, with the record to store, or whether it waits.

    `earlier` is the record of the last replacement if the job is not ready again since: another replacement interrupts
    no further job, so it never waits. This is how a corrected image or spec reaches the jobs that failed.
    """
    record = PodReplacement(
        started_at=now.replace(microsecond=0),
        cause=request.cause,
        state_before=earlier.state_before if earlier is not None else request.state,
    )
    if earlier is not None:
        return ReplacementTurn(cause=request.cause, is_granted=True, record=record)
    if request.cause == "Spec" and request.state != "Streaming":
        return ReplacementTurn(cause=request.cause, is_granted=True)
    is_stopped = rollout_is_stopped(request.cause, progress, settings)
    is_free = progress.in_progress < most_in_progress(request.cause, progress.jobs, settings)
    if is_stopped or not is_free or (progress.idle_first and request.state != "Idle"):
        return ReplacementTurn(cause=request.cause, is_granted=False, is_stopped=is_stopped)
    return ReplacementTurn(cause=request.cause, is_granted=True, record=record)


def most_in_progress(cause: str, jobs: int, settings: RolloutSettings) -> int:
    """Return how many of these jobs may be not ready after a replacement of their pods, before others have to wait."""
    share = settings.max_unavailable.of(jobs)
    return max(FEW_JOBS, share) if cause == "Spec" else share


def rollout_is_stopped(cause: str, progress: RolloutProgress, settings: RolloutSettings) -> bool:
    """Return whether so many jobs are overdue that no further pod is replaced.

    For a change of the operator, half a share is enough. One job of many does not stop it, because its failure may have
    a cause of its own. For changes of specs, it is a whole share.
    """
    share = most_in_progress(cause, progress.jobs, settings)
    return progress.overdue >= (share if cause == "Spec" else (share + 1) // 2)


def seconds_left(replacement: PodReplacement, now: datetime, deadline_seconds: float) -> float:
    """Return for how many more seconds the job may be not ready; 0 or less if it is overdue."""
    return deadline_seconds - (now - replacement.started_at).total_seconds()
