"""The replacements of pods that are in progress or wait, counted as jobs change.

A replacement is in progress from its record in `status.replacement` until the job is ready again. So the counts are
those of the cluster: a new leader, or an operator that restarts, has them as soon as it has read the jobs. Each change
and each count costs the same however many jobs there are.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from sluice_contract.pod_replacement import PodReplacement, ReplacementCause

from .objects import Job, Key
from .rollout import ReplacementRequest, RolloutProgress

# The cause, and for changes of specs the namespace: the jobs of one namespace do not delay those of another.
Rollout = tuple[ReplacementCause, str]


class _RolloutJobs(msgspec.Struct):
    """The jobs of one rollout, by key. `started` has the times of those that can become overdue, in order."""

    in_progress: dict[Key, PodReplacement] = {}
    started: list[tuple[datetime, Key]] = []
    idle_waiting: dict[Key, None] = {}
    others_waiting: dict[Key, None] = {}

    @property
    def first_waiting(self) -> Key | None:
        """The job whose turn is next; None if no job waits."""
        return next(iter(self.idle_waiting or self.others_waiting), None)

    @property
    def is_empty(self) -> bool:
        """Whether no job is in progress or waits."""
        return not (self.in_progress or self.idle_waiting or self.others_waiting)


def rollout_of(cause: str, key: Key) -> Rollout:
    """Return the rollout to which a replacement of this job's pod belongs."""
    return ("Spec", key[0]) if cause == "Spec" else ("Operator", "")


class Replacements:
    """The replacements of the pods of all jobs."""

    def __init__(self) -> None:
        self._rollouts: dict[Rollout, _RolloutJobs] = {}
        self._jobs_of_namespaces: dict[str, set[Key]] = {}
        self._jobs = 0
        self._records: dict[Key, PodReplacement] = {}  # what is counted
        self._reserved: dict[Key, PodReplacement] = {}  # decided, and perhaps not in the cache yet
        self._waits_in: dict[Key, Rollout] = {}

    def replace_job(self, key: Key, job: Job | None) -> Key | None:
        """Update the counts after a change of a job; None removes it. Return a waiting job whose turn may have come."""
        self._count_job(key, job is not None)
        if job is None:
            self.remove_waiting(key)
        return self._update_record(key, job.status.replacement if job is not None else None)

    def reserve(self, key: Key, record: PodReplacement) -> None:
        """Count the record of a replacement from now on, although its write has not returned yet."""
        self._reserved[key] = record
        self._update_record(key, record)

    def release(self, key: Key, job: Job | None) -> Key | None:
        """End the reservation: from now on, the job counts as it is known. Return a job whose turn may have come."""
        if self._reserved.pop(key, None) is None:
            return None
        return self._update_record(key, job.status.replacement if job is not None else None)

    def add_waiting(self, key: Key, request: ReplacementRequest) -> None:
        """Add a job to those that wait for their turn, or move it among them."""
        rollout = rollout_of(request.cause, key)
        if self._waits_in.get(key) != rollout:
            self.remove_waiting(key)
        self._waits_in[key] = rollout
        jobs = self._rollouts.setdefault(rollout, _RolloutJobs())
        mine, other = jobs.idle_waiting, jobs.others_waiting
        if request.state != "Idle":
            mine, other = other, mine
        other.pop(key, None)
        mine.setdefault(key, None)

    def remove_waiting(self, key: Key) -> None:
        """Remove a job from those that wait."""
        if (rollout := self._waits_in.pop(key, None)) is not None:
            jobs = self._rollouts[rollout]
            jobs.idle_waiting.pop(key, None)
            jobs.others_waiting.pop(key, None)
            self._drop_if_empty(rollout)

    def progress(self, rollout: Rollout, now: datetime, deadline_seconds: float) -> RolloutProgress:
        """Return the progress of a rollout."""
        cause, namespace = rollout
        all_jobs = self._jobs if cause == "Operator" else len(self._jobs_of_namespaces.get(namespace, ()))
        jobs = self._rollouts.get(rollout)
        if jobs is None:
            return RolloutProgress(all_jobs, 0, 0)
        started_by = (now - timedelta(seconds=deadline_seconds), ("\U0010ffff", ""))
        overdue = bisect_right(jobs.started, started_by)
        return RolloutProgress(all_jobs, len(jobs.in_progress), overdue, bool(jobs.idle_waiting))

    def first_waiting(self, rollout: Rollout) -> Key | None:
        """Return the job of a rollout whose turn is next; None if no job waits."""
        jobs = self._rollouts.get(rollout)
        return jobs.first_waiting if jobs is not None else None

    def rollouts(self) -> Iterator[Rollout]:
        """Yield the rollouts in which a job is in progress or waits."""
        yield from tuple(self._rollouts)

    def count_waiting(self, rollout: Rollout) -> int:
        """Return how many jobs of a rollout wait."""
        jobs = self._rollouts.get(rollout)
        return len(jobs.idle_waiting) + len(jobs.others_waiting) if jobs is not None else 0

    def count_interrupted(self, rollout: Rollout) -> int:
        """Return how many jobs of a rollout streamed before their pods were replaced and are not ready again."""
        jobs = self._rollouts.get(rollout)
        return sum(each.state_before == "Streaming" for each in jobs.in_progress.values()) if jobs is not None else 0

    def _count_job(self, key: Key, exists: bool) -> None:
        keys = self._jobs_of_namespaces.setdefault(key[0], set())
        if exists != (key in keys):
            self._jobs += 1 if exists else -1
            (keys.add if exists else keys.discard)(key)
        if not keys:
            del self._jobs_of_namespaces[key[0]]

    def _update_record(self, key: Key, stored: PodReplacement | None) -> Key | None:
        record, before = self._reserved.get(key, stored), self._records.get(key)
        if record == before:
            return None
        freed = None
        if before is not None:
            freed = rollout_of(before.cause, key)
            del self._records[key]
            jobs = self._rollouts[freed]
            del jobs.in_progress[key]
            if before.state_before != "NotReady":
                del jobs.started[bisect_right(jobs.started, (before.started_at, key)) - 1]
            self._drop_if_empty(freed)
        if record is not None:
            self._records[key] = record
            jobs = self._rollouts.setdefault(rollout_of(record.cause, key), _RolloutJobs())
            jobs.in_progress[key] = record
            if record.state_before != "NotReady":
                insort(jobs.started, (record.started_at, key))
        return self.first_waiting(freed) if freed is not None else None

    def _drop_if_empty(self, rollout: Rollout) -> None:
        if self._rollouts[rollout].is_empty:
            del self._rollouts[rollout]
