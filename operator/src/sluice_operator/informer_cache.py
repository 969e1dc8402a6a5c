"""The known objects of the cluster and the operator's observations, in memory. A restart rebuilds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from sluice_contract.resource import resource_version_number

from .domain import facts
from .domain.document_claims import DocumentClaim, DocumentClaims, document_claim
from .domain.objects import Job, Key, Pod, job_key_of_pod_name

V = TypeVar("V", Job, Pod)


class RecordedRefusal(msgspec.Struct, frozen=True):
    """A request that the API server refused, and the time of the refusal by the monotonic clock."""

    message: str
    generation: int
    epoch: int | None
    at: float


class RecordedMutation(msgspec.Struct, frozen=True):
    """A created pod that differs from the requested pod, and the time of its creation by the monotonic clock."""

    difference: str
    cold_hash: str
    pod_uid: str
    pods_in_a_row: int
    at: float


class TrackedJobState(msgspec.Struct):
    """The operator's observations of one job between reconciliations. Times are by the monotonic clock."""

    heartbeat: object = None  # the newest heartbeat seen: pod UID and time
    heartbeat_at: float = 0.0  # when it was first seen, by the clock that stops while the API server is unreachable
    confirmed_heartbeat: object = None  # the heartbeat that a live read confirmed
    pausing_at: float | None = None  # the start of the unconfirmed stop, by the clock of `heartbeat_at`
    confirmed_symbol_pauses: frozenset[str] = frozenset()
    last_refusal: RecordedRefusal | None = None
    last_mutation: RecordedMutation | None = None
    cold_hash: tuple[str, int, str] = ("", -1, "")  # job uid, generation, hash


class ObjectCache(Generic[V]):
    """The cache of one kind: for each job key, the newest known job or pod."""

    def __init__(self, changed: Callable[[Key], None], is_watched: Callable[[V], bool]) -> None:
        """`changed` is called with each key that changes. `is_watched` returns whether the watch shows an object."""
        self._changed = changed
        self._is_watched: Callable[[V], bool] = is_watched
        self._objects: dict[Key, V] = {}
        self.streamed: dict[Key, int] = {}  # the newest resourceVersion that the watch delivered
        self.deliveries = 0  # the number of events that the watch has delivered
        self._touched: set[Key] | None = None  # the keys that changed during a LIST

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: Key) -> V | None:
        """Return the object of the key; None if it is not known."""
        return self._objects.get(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def put_delivered(self, key: Key, value: V) -> None:
        """Store the object of a watch event if it is newer than the known one, and record its delivery."""
        self.deliveries += 1
        self.streamed[key] = object_version(value)
        self.put_if_newer(key, value)

    def remove_delivered(self, key: Key, uid: str) -> None:
        """Remove an object because the watch delivered its deletion. A newer object with another UID is kept."""
        self.deliveries += 1
        self.streamed.pop(key, None)
        self.remove_if_same_uid(key, uid)

    def undelivered_versions(self) -> dict[Key, int]:
        """Return the resourceVersions of objects that a request returned and the watch has not delivered yet."""
        return {
            key: object_version(value)
            for key, value in self._objects.items()
            if object_version(value) > self.streamed.get(key, -1) and self._is_watched(value)
        }

    def put_if_newer(self, key: Key, value: V) -> None:
        """Store an object if it is newer than the known one. It may come from a watch, a live read or a response."""
        known = self._objects.get(key)
        if known is not None and object_version(value) <= object_version(known):
            return
        self._store(key, value)

    def remove_if_same_uid(self, key: Key, uid: str) -> None:
        """Remove the object with this UID. A newer object with the same key is kept."""
        known = self._objects.get(key)
        if known is not None and known.metadata.uid == uid:
            del self._objects[key]
            self.streamed.pop(key, None)
            self._notify_of_change(key)

    def remove_without_notice(self, key: Key) -> None:
        """Remove the object without a call of `changed`, so its key is not added to the work queue."""
        self._objects.pop(key, None)
        self.streamed.pop(key, None)

    def begin_to_record_changes(self) -> None:
        """Start to record the keys that change while a LIST is read.

        `replace_all` keeps the objects of these keys, because they are newer than the LIST.
        """
        self._touched = set()

    def replace_all(self, listed: dict[Key, V], is_kept: Callable[[V], bool]) -> dict[Key, int | None]:
        """Make the cache equal to a LIST, except for keys that changed while it was read.

        Return the version of each object that differed; None for an object that the LIST does not contain.

        A listed object replaces the known one even if its version is lower, because versions go back when a cluster is
        restored from a backup. `is_kept` returns whether to keep an object that a LIST never shows.
        """
        touched, self._touched = self._touched or set(), None
        differed: dict[Key, int | None] = {}
        for key in [key for key, value in self._objects.items() if key not in listed and not is_kept(value)]:
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
    """The caches of jobs and pods, and the observations of each job. A change adds the job's key to the work queue.

    A change of a job's claim to documents also adds the keys of the jobs whose document conflicts may have changed.
    """

    def __init__(self, changed: Callable[[Key], None], project_id: str = "") -> None:
        """`changed` adds a key to the work queue. `project_id` is the Google Cloud project of jobs that name none."""
        self.jobs: ObjectCache[Job] = ObjectCache(self._on_job_change, lambda _: True)
        self.pods: ObjectCache[Pod] = ObjectCache(self._on_pod_change, facts.pod_has_operator_label)
        self.claims = DocumentClaims()
        self.namespaces_with_account: set[str] = set()  # in which the ServiceAccount and RoleBinding are applied
        self._changed = changed
        self._project_id = project_id
        self._memories: dict[Key, TrackedJobState] = {}
        self._claimed: dict[Key, tuple[str, int]] = {}  # the job UID and generation of each claim

    def tracked_state_of_job(self, key: Key) -> TrackedJobState:
        """Return the operator's observations of the job, created empty on first use. The caller updates them."""
        return self._memories.setdefault(key, TrackedJobState())

    def forget_job(self, key: Key) -> None:
        """Remove all data about a job that no longer exists and has no pod of the operator."""
        self._memories.pop(key, None)
        self.pods.remove_without_notice(key)
        self._release_claim_and_requeue_affected(key)

    def put_ingest_pod(self, pod: Pod) -> None:
        """Store the pod if it is newer than the known one. Ignore it if its name is not that of an ingest pod."""
        if (key := job_key_of_pod_name(pod.metadata.namespace, pod.metadata.name)) is not None:
            self.pods.put_if_newer(key, pod)

    def _on_job_change(self, key: Key) -> None:
        job = self.jobs.get(key)
        if job is None:
            if self.pods.get(key) is None:  # otherwise the pod may still write
                self._release_claim_and_requeue_affected(key)
        elif self._claimed.get(key) != (declared := (job.metadata.uid, job.metadata.generation)):
            self._claimed[key] = declared
            self._replace_claim_and_requeue_affected(key, document_claim(job, self._project_id))
        self._changed(key)

    def _on_pod_change(self, key: Key) -> None:
        if self.jobs.get(key) is None and self.pods.get(key) is None:
            self._release_claim_and_requeue_affected(key)
        self._changed(key)

    def _release_claim_and_requeue_affected(self, key: Key) -> None:
        """Remove the job's claim to documents. Add the jobs whose document conflicts may change to the work queue."""
        self._claimed.pop(key, None)
        self._replace_claim_and_requeue_affected(key, None)

    def _replace_claim_and_requeue_affected(self, key: Key, claim: DocumentClaim | None) -> None:
        """Replace the job's claim to documents. Add the jobs whose document conflicts may change to the work queue."""
        for each in self.claims.replace_claim(key, claim):
            self._changed(each)


def object_version(value: Job | Pod) -> int:
    """Return the resourceVersion of an object as a number."""
    return resource_version_number(value.metadata.resource_version)
