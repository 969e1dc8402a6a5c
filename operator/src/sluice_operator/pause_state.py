"""The known pauses: which jobs each of them covers, and which of these jobs have acknowledged it.

A change of a pause adds exactly the jobs to the work queue that it covered before or covers now. A change of a job
costs one comparison with each pause that could cover it. What a job has acknowledged is recorded when the job is
reconciled, so the counts of a pause are known without a walk over its jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from .domain.objects import Job, Key
from .domain.pause_objects import PauseKey, PauseObject, order_of_authority
from .object_cache import ObjectCache, Origin

_CLUSTER: Final = ""  # the namespace of a ClusterIngestPause


class CoveredJobs(msgspec.Struct):
    """The jobs that a pause covers. Each other set has some of them.

    `unassessed` have not been reconciled since the pause or the job changed; `unconcerned` have none of the paused
    symbols; `waiting` have not acknowledged the pause.
    """

    covered: set[Key] = set()
    unassessed: set[Key] = set()
    unconcerned: set[Key] = set()
    waiting: set[Key] = set()

    @property
    def selected_count(self) -> int:
        """The number of jobs that the pause stops, wholly or in part."""
        return len(self.covered) - len(self.unconcerned)

    @property
    def acknowledged_count(self) -> int:
        """The number of jobs that have acknowledged the pause."""
        return self.selected_count - len(self.waiting)

    def remove(self, key: Key) -> bool:
        """Remove a job. Return whether the pause covered it."""
        was_covered = key in self.covered
        for keys in (self.covered, self.unassessed, self.unconcerned, self.waiting):
            keys.discard(key)
        return was_covered


class PauseState:
    """The caches of both kinds of pauses, the jobs that each pause covers, and what these jobs have acknowledged."""

    def __init__(self, job_changed: Callable[[Key], None], pause_changed: Callable[[PauseKey], None]) -> None:
        """`job_changed` gets each job whose pauses change, `pause_changed` each pause whose status may change."""
        # Removals are not remembered: a kind that is not served for a moment must not undo a pause.
        self.namespaced: ObjectCache[PauseObject] = ObjectCache(
            self._on_pause_change, lambda _: True, tombstone_seconds=0.0
        )
        self.of_cluster: ObjectCache[PauseObject] = ObjectCache(
            self._on_pause_change, lambda _: True, tombstone_seconds=0.0
        )
        self._job_changed = job_changed
        self._pause_changed = pause_changed
        self._jobs: dict[str, dict[Key, Job]] = {}  # by namespace
        self._declared: dict[str, dict[PauseKey, tuple[str, int]]] = {}  # by namespace: uid and generation
        self._by_pause: dict[PauseKey, CoveredJobs] = {}
        self._by_job: dict[Key, set[PauseKey]] = {}

    def get(self, key: PauseKey) -> PauseObject | None:
        """Return the pause of the key; None if it is not known."""
        return self.cache_of(key).get(key)

    def __len__(self) -> int:
        """The number of known pauses."""
        return len(self.of_cluster) + len(self.namespaced)

    def __iter__(self) -> Iterator[PauseKey]:
        """Iterate over the keys of all pauses."""
        yield from self.of_cluster
        yield from self.namespaced

    def jobs_of_pause(self, key: PauseKey) -> CoveredJobs:
        """Return the jobs that the pause covers."""
        return self._by_pause.get(key, CoveredJobs())

    def pauses_of_job(self, key: Key) -> tuple[PauseObject, ...]:
        """Return the pauses that cover the job, also those that have ended, in the order of authority."""
        if not (keys := self._by_job.get(key)):
            return ()
        found = (pause for each in keys if (pause := self.get(each)) is not None)
        return tuple(sorted(found, key=order_of_authority))

    def update_job(self, key: Key, job: Job | None) -> None:
        """Update which pauses cover the job, after a change of it; None if it is gone."""
        jobs = self._jobs.setdefault(key[0], {})
        known = jobs.get(key)
        if job is None:
            if jobs.pop(key, None) is not None and not jobs:
                del self._jobs[key[0]]
        else:
            jobs[key] = job
            if known is not None and _selected_by(known) == _selected_by(job):
                return
        for pause in self._pauses_that_may_cover(key):
            self._replace_coverage(pause, key, job is not None and pause.covers_job(job))

    def record_assessment(self, key: Key, acknowledged: Mapping[PauseKey, bool | None]) -> None:
        """Record for each pause that covers the job whether the job has acknowledged it; None if it has no such symbol.

        A pause whose counts change is reported as changed.
        """
        for pause, is_acknowledged in acknowledged.items():
            jobs = self._by_pause.get(pause)
            if jobs is None or key not in jobs.covered:
                continue
            before = (key in jobs.unassessed, key in jobs.unconcerned, key in jobs.waiting)
            after = (False, is_acknowledged is None, is_acknowledged is False)
            if before == after:
                continue
            jobs.unassessed.discard(key)
            _set_membership(jobs.unconcerned, key, is_acknowledged is None)
            _set_membership(jobs.waiting, key, is_acknowledged is False)
            self._pause_changed(pause)

    def _on_pause_change(self, key: PauseKey, _: PauseObject | None, pause: PauseObject | None, __: Origin) -> None:
        """Update which jobs the pause covers, unless only its status has changed."""
        known = self._declared.setdefault(key[0], {})
        if pause is None:
            if known.pop(key, None) is not None:
                self._replace_jobs_of_pause(key, None)
        elif known.get(key) != (declared := (pause.metadata.uid, pause.metadata.generation)):
            known[key] = declared
            self._replace_jobs_of_pause(key, pause)
        if not known:
            del self._declared[key[0]]
        self._pause_changed(key)

    def _replace_jobs_of_pause(self, key: PauseKey, pause: PauseObject | None) -> None:
        before = self.jobs_of_pause(key).covered
        now = set(self._jobs_covered_by(pause)) if pause is not None else set()
        if pause is None:
            self._by_pause.pop(key, None)
        else:
            self._by_pause[key] = CoveredJobs(covered=now, unassessed=set(now))
        for job in before - now:
            self._forget_pause_of_job(job, key)
        for job in now:
            self._by_job.setdefault(job, set()).add(key)
        for job in before | now:
            self._job_changed(job)

    def _jobs_covered_by(self, pause: PauseObject) -> Iterable[Key]:
        if pause.is_of_cluster:
            candidates: Iterable[Job] = (job for jobs in self._jobs.values() for job in jobs.values())
        else:
            candidates = self._jobs.get(pause.metadata.namespace, {}).values()
        return (job.key for job in candidates if pause.covers_job(job))

    def _pauses_that_may_cover(self, key: Key) -> list[PauseObject]:
        keys = [each for namespace in (_CLUSTER, key[0]) for each in self._declared.get(namespace, ())]
        return [pause for each in keys if (pause := self.get(each)) is not None]

    def _replace_coverage(self, pause: PauseObject, key: Key, is_covered: bool) -> None:
        """Record whether the pause covers the job. A job that it still covers has to be assessed again."""
        jobs = self._by_pause.setdefault(pause.key, CoveredJobs())
        if is_covered:
            jobs.covered.add(key)
            jobs.unassessed.add(key)
            self._by_job.setdefault(key, set()).add(pause.key)
        elif jobs.remove(key):
            self._forget_pause_of_job(key, pause.key)
        else:
            return
        self._pause_changed(pause.key)

    def _forget_pause_of_job(self, job: Key, pause: PauseKey) -> None:
        keys = self._by_job.get(job, set())
        keys.discard(pause)
        if not keys:
            self._by_job.pop(job, None)

    def cache_of(self, key: PauseKey) -> ObjectCache[PauseObject]:
        """Return the cache of the kind of the pause."""
        return self.namespaced if key[0] else self.of_cluster


def _set_membership(keys: set[Key], key: Key, is_member: bool) -> None:
    if is_member:
        keys.add(key)
    else:
        keys.discard(key)


def _selected_by(job: Job) -> tuple[str, int, dict[str, str]]:
    """Return what decides which pauses cover the job: the version of its spec, and its labels."""
    return job.metadata.uid, job.metadata.generation, job.metadata.labels
