"""The delay of status writes whose only news is how far the start of a pod or stream has come.

A start has many states, and most last for a fraction of a second. A state that lasts is still reported, some seconds
later. Nothing else is delayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import msgspec

from .domain.actions import Decision
from .domain.changes import is_only_progress_of_start, job_has_stops
from .domain.objects import Key
from .domain.observation import Observation
from .informer_cache import ClusterState

PROGRESS_SECONDS: Final = 5.0  # from the first state that is not written until the state of that time is


class StatusDelay:
    """Delays the status of a decision, unless it has other news than the progress of a start."""

    def __init__(self, store: ClusterState, monotonic: Callable[[], float]) -> None:
        """`monotonic` returns the time in seconds."""
        self._store = store
        self._monotonic = monotonic

    def delay_progress(self, key: Key, observation: Observation, decision: Decision) -> Decision:
        """Return the decision without its status and Events, to be made again later, if they can wait.

        The status of a job with a stop never waits, nor one that has to be written before a step.
        """
        memory = self._store.tracked_state_of_job(key)
        if not _can_wait(observation, decision):
            memory.progress_since = None
            return decision
        now = self._monotonic()
        if memory.progress_since is None:
            memory.progress_since = now
        left = memory.progress_since + PROGRESS_SECONDS - now
        if left <= 0:
            memory.progress_since = None
            return decision
        earliest = min(left, decision.requeue_after if decision.requeue_after is not None else math.inf)
        return msgspec.structs.replace(decision, status=None, transitions=(), requeue_after=earliest)


def _can_wait(observation: Observation, decision: Decision) -> bool:
    job = observation.job
    if job is None or decision.status is None or decision.step is not None:
        return False
    if job_has_stops(job) or observation.pauses:
        return False
    return is_only_progress_of_start(job.status, decision.status)
