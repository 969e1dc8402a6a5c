"""The record of restarts in the status of a job, and the delays between them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sluice_contract.status import PodRestart
from sluice_contract.status_values import LARGEST

from .facts import pod_epoch
from .objects import Pod
from .observation import Observation

RESTART_FIRST_SECONDS: Final = 10.0
RESTART_MOST_SECONDS: Final = 300.0
RESTART_CLEARED_AFTER_SECONDS: Final = 600.0


def next_at_is_credible(restart: PodRestart, now: datetime) -> bool:
    """Return whether the time is within the longest backoff. A later one is from a clock that was ahead."""
    return restart.next_at <= now + timedelta(seconds=RESTART_MOST_SECONDS)


def is_waiting(restart: PodRestart, now: datetime) -> bool:
    """Return whether the backoff of the record has not passed, and is credible."""
    return restart.next_at > now and next_at_is_credible(restart, now)


def next_pod_phrase(restart: PodRestart) -> str:
    """Return when the operator creates the next pod, for a message."""
    return f"creates a new one after {restart.next_at:%H:%M:%S} UTC"


def restart_record_after_exit(observation: Observation, pod: Pod) -> PodRestart:
    """Return the restart record after a pod exited by itself: the number of restarts and the time of the next one.

    An exit is counted only once, even if the operator crashes. The epoch of a pod is its creation time, and no pod is
    created before `nextAt`. So if a credible `nextAt` is not before the epoch, the exit of this pod is already counted.
    """
    job = observation.job
    earlier, now = job.status.restart if job is not None else None, observation.now
    return earlier if earlier is not None and end_is_counted(earlier, pod, now) else next_restart(earlier, now)


def end_is_counted(earlier: PodRestart | None, pod: Pod, now: datetime) -> bool:
    """Return whether the record already counts the end of this pod."""
    if earlier is None or not next_at_is_credible(earlier, now):
        return False
    return round(earlier.next_at.timestamp() * 1000) >= pod_epoch(pod)


def next_restart(earlier: PodRestart | None, now: datetime) -> PodRestart:
    """Return the record of one more restart. The delay doubles from 10 s to 5 minutes."""
    count = min((earlier.count if earlier is not None else 0) + 1, LARGEST)
    delay = min(RESTART_FIRST_SECONDS * 2 ** min(count - 1, 10), RESTART_MOST_SECONDS)
    next_at = now + timedelta(seconds=delay)
    return PodRestart(count=count, next_at=next_at.replace(microsecond=next_at.microsecond // 1000 * 1000))
