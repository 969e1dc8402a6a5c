"""The objects of the cluster and the operator's own observations, in memory. All of it can be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from sluice_contract.resource import version_number

from .domain import facts
from .domain.document_claims import DocumentClaim, DocumentClaims, document_claim
from .domain.objects import Job, Key, Pod, job_key_of_pod_name

V = TypeVar("V", Job, Pod)


class RecordedRefusal(msgspec.Struct, frozen=True):
    """A refusal of the API server, and its time by the monotonic clock."""

    message: str
    generation: int
    epoch: int | None
    at: float


class JobMemory(msgspec.Struct):
    """The operator's observations of one job. Instants are by the monotonic clock."""

    heartbeat: object = None  # the newest heartbeat seen: pod UID and time
    heartbeat_at: float = 0.0  # when it was first seen, by the clock that stops while the API server is unreachable
    looked_up: object = None  # the heartbeat that a live read confirmed
    pausing_at: float | None = None  # the start of the unconfirmed stop, by the clock of `heartbeat_at`
    confirmed_symbol_pauses: frozenset[str] = frozenset()
    refused: RecordedRefusal | None = None
    cold_hash: tuple[str, int, str] = ("", -1, "")  # job uid, generation, hash


class ObjectCache(Generic[V]):
    """The known objects of one kind, at most one for each key."""

    def __init__(self, changed: Callable[[Key], None], is_watched: Callable[[V], bool]) -> None:
        """`is_watched` returns whether the watch delivers an object."""
        self._changed = changed
        self._is_watched: Callable[[V], bool] = is_watched
        self._objects: dict[Key, V] = {}
        self.streamed: dict[Key, int] = {}  # the newest resourceVersion that the watch delivered
        self.deliveries = 0  # the number of events that the watch has delivered
        self._touched: set[Key] | None = None  # the keys that changed during a LIST

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: Key) -> V | None:
        """Return the object of the key, if it is known."""
        return self._objects.get(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def put_delivered(self, key: Key, value: V) -> None:
        """Store the state of an object that the watch delivered."""
        self.deliveries += 1
        self.streamed[key] = object_version(value)
        self.put(key, value)

    def remove_delivered(self, key: Key, uid: str) -> None:
        """Remove an object whose removal the watch delivered."""
        self.deliveries += 1
        self.streamed.pop(key, None)
        self.remove(key, uid)

    def undelivered_versions(self) -> dict[Key, int]:
        """Return the versions that are known from requests and that the watch has not delivered yet."""
        return {
            key: object_version(value)
            for key, value in self._objects.items()
            if object_version(value) > self.streamed.get(key, -1) and self._is_watched(value)
        }

    def put(self, key: Key, value: V) -> None:
        """Store an object from a watch, a live read or a response, if it is newer than the known one."""
        known = self._objects.get(key)
        if known is not None and object_version(value) <= object_version(known):
            return
        self._store(key, value)

    def remove(self, key: Key, uid: str) -> None:
        """Remove the object, unless a newer object has taken its place."""
        known = self._objects.get(key)
        if known is not None and known.metadata.uid == uid:
            del self._objects[key]
            self.streamed.pop(key, None)
            self._notify_of_change(key)

    def remove_without_notice(self, key: Key) -> None:
        """Remove the object without adding its key to the work queue."""
        self._objects.pop(key, None)
        self.streamed.pop(key, None)

    def begin_to_record_changes(self) -> None:
        """Start to record the keys that change: their objects are newer than the LIST that is being read."""
        self._touched = set()

    def replace_all(self, listed: dict[Key, V], kept: Callable[[V], bool]) -> dict[Key, int | None]:
        """Make the cache equal to a LIST. Return the differences: the listed version, or None for a removed object.

        The LIST counts even if its versions are lower, because a cluster restored from a backup can count from a lower
        version. `kept` selects objects that a LIST does not show.
        """
        touched, self._touched = self._touched or set(), None
        differed: dict[Key, int | None] = {}
        for key in [key for key, value in self._objects.items() if key not in listed and not kept(value)]:
            if key not in touched:
                differed[key] = None
                del self._objects[key]
                self._changed(key)
        for key, value in listed.items():
            known = self._objects.get(key)
            if key not in touched and (known is None or object_version(known) != object_version(value)):
                differed[key] = object_version(value)
                self._store(key, value)
        return differed

    def _store(self, key: Key, value: V) -> None:
        self._objects[key] = value
        self._notify_of_change(key)

    def _notify_of_change(self, key: Key) -> None:
        if self._touched is not None:
            self._touched.add(key)
        self._changed(key)


class ClusterState:
    """The caches of jobs and pods, and the memory of each job. Each change adds the job's key to the work queue.

    It also adds the keys of the jobs whose documents have become free, or are claimed by another job.
    """

    def __init__(self, changed: Callable[[Key], None], project_id: str = "") -> None:
        """`project_id` is the Google Cloud project of jobs that name none."""
        self.jobs: ObjectCache[Job] = ObjectCache(self._on_job_change, lambda _: True)
        self.pods: ObjectCache[Pod] = ObjectCache(self._on_pod_change, facts.pod_has_operator_label)
        self.claims = DocumentClaims()
        self.accounts: set[str] = set()  # namespaces whose account was ensured since the last resync
        self._changed = changed
        self._project_id = project_id
        self._memories: dict[Key, JobMemory] = {}
        self._claimed: dict[Key, tuple[str, int]] = {}  # the job UID and generation of each claim

    def memory_of_job(self, key: Key) -> JobMemory:
        """Return the operator's observations of the job, which the caller updates."""
        return self._memories.setdefault(key, JobMemory())

    def forget_job(self, key: Key) -> None:
        """Forget the job: neither the job nor a pod of the operator exists any more."""
        self._memories.pop(key, None)
        self.pods.remove_without_notice(key)
        self._release_documents(key)

    def put_pod(self, pod: Pod) -> None:
        """Store a pod, if it has the name of a job's pod."""
        if (key := job_key_of_pod_name(pod.metadata.namespace, pod.metadata.name)) is not None:
            self.pods.put(key, pod)

    def _on_job_change(self, key: Key) -> None:
        job = self.jobs.get(key)
        if job is None:
            if self.pods.get(key) is None:  # otherwise the pod may still write
                self._release_documents(key)
        elif self._claimed.get(key) != (declared := (job.metadata.uid, job.metadata.generation)):
            self._claimed[key] = declared
            self._replace_claim(key, document_claim(job, self._project_id))
        self._changed(key)

    def _on_pod_change(self, key: Key) -> None:
        if self.jobs.get(key) is None and self.pods.get(key) is None:
            self._release_documents(key)
        self._changed(key)

    def _release_documents(self, key: Key) -> None:
        self._claimed.pop(key, None)
        self._replace_claim(key, None)

    def _replace_claim(self, key: Key, made: DocumentClaim | None) -> None:
        for each in self.claims.replace_claim(key, made):
            self._changed(each)


def object_version(value: Job | Pod) -> int:
    """Return the resourceVersion as a number."""
    return version_number(value.metadata.resource_version)
