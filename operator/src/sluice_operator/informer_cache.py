"""What the operator remembers of the cluster, and what it noticed by its own clock. All of it can be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from sluice_contract import identity

from .domain.document_claims import DocumentClaim, DocumentClaims, document_claim
from .domain.objects import Job, Key, Pod, key_of_pod

V = TypeVar("V", Job, Pod)


class RecordedRefusal(msgspec.Struct, frozen=True):
    """A refusal of the API server, and when it came by the monotonic clock."""

    message: str
    generation: int
    epoch: int | None
    at: float


class JobMemory(msgspec.Struct):
    """What was noticed of one job. Instants are by the monotonic clock."""

    heartbeat: object = None  # identifies the newest heartbeat seen
    heartbeat_at: float = 0.0  # when it was first seen, by the clock that stands still while the API server is away
    looked_up: object = None  # the heartbeat that a live read confirmed
    pausing_at: float | None = None  # since when a stop is not confirmed, by the clock of `heartbeat_at`
    confirmed_symbol_pauses: frozenset[str] = frozenset()
    refused: RecordedRefusal | None = None
    cold_hash: tuple[str, int, str] = ("", -1, "")  # job uid, generation, hash


class ObjectCache(Generic[V]):
    """The known objects of one kind, one a key."""

    def __init__(self, changed: Callable[[Key], None], is_watched: Callable[[V], bool]) -> None:
        """`is_watched` says whether the watch delivers such an object at all."""
        self._changed = changed
        self._is_watched: Callable[[V], bool] = is_watched
        self._objects: dict[Key, V] = {}
        self.streamed: dict[Key, int] = {}  # the newest resourceVersion that the watch delivered
        self.deliveries = 0  # how many events the watch has delivered, of whatever objects
        self._touched: set[Key] | None = None  # keys that changed while a LIST was under way

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: Key) -> V | None:
        """The object, as far as is known."""
        return self._objects.get(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def deliver(self, key: Key, value: V) -> None:
        """Take the state of an object from the watch."""
        self.deliveries += 1
        self.streamed[key] = version(value)
        self.put(key, value)

    def deliver_removal(self, key: Key, uid: str) -> None:
        """Take the removal of an object from the watch."""
        self.deliveries += 1
        self.streamed.pop(key, None)
        self.remove(key, uid)

    def undelivered(self) -> dict[Key, int]:
        """Return the versions that are known from requests and that the watch has not delivered yet."""
        return {
            key: version(value)
            for key, value in self._objects.items()
            if version(value) > self.streamed.get(key, -1) and self._is_watched(value)
        }

    def put(self, key: Key, value: V) -> None:
        """Takes an object from a watch, a live read or an answer; an older state than the known one is ignored."""
        known = self._objects.get(key)
        if known is not None and version(value) <= version(known):
            return
        self._take(key, value)

    def remove(self, key: Key, uid: str) -> None:
        """Forgets the object, unless a newer one has taken its place."""
        known = self._objects.get(key)
        if known is not None and known.metadata.uid == uid:
            del self._objects[key]
            self.streamed.pop(key, None)
            self._note(key)

    def drop(self, key: Key) -> None:
        """Forgets the object without a word: it is nobody's business any more."""
        self._objects.pop(key, None)
        self.streamed.pop(key, None)

    def begin_list(self) -> None:
        """From now on, what changes is newer than the LIST that is being read."""
        self._touched = set()

    def replace_all(self, listed: dict[Key, V], kept: Callable[[V], bool]) -> dict[Key, int | None]:
        """Makes the shelf equal to a LIST. Returns what differed: the listed version, None where an object is gone.

        The LIST counts even where its versions are lower: a cluster restored from a backup counts anew. `kept` names
        objects that a LIST does not show.
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
            if key not in touched and (known is None or version(known) != version(value)):
                differed[key] = version(value)
                self._take(key, value)
        return differed

    def _take(self, key: Key, value: V) -> None:
        self._objects[key] = value
        self._note(key)

    def _note(self, key: Key) -> None:
        if self._touched is not None:
            self._touched.add(key)
        self._changed(key)


class ClusterState:
    """Both shelves, and a memory a job. Every change adds the job's key to the work queue.

    It also adds the keys of the jobs for which a document has become free, or somebody else's.
    """

    def __init__(self, changed: Callable[[Key], None], project_id: str = "") -> None:
        """`project_id` is the Google Cloud project of jobs that name none."""
        self.jobs: ObjectCache[Job] = ObjectCache(self._job_changed, lambda _: True)
        self.pods: ObjectCache[Pod] = ObjectCache(self._pod_changed, has_operator_label)
        self.claims = DocumentClaims()
        self.accounts: set[str] = set()  # namespaces whose account was ensured since the last resync
        self._changed = changed
        self._project_id = project_id
        self._memories: dict[Key, JobMemory] = {}
        self._claimed: dict[Key, tuple[str, int]] = {}  # job uid and generation of what was claimed

    def memory(self, key: Key) -> JobMemory:
        """What was noticed of the job."""
        return self._memories.setdefault(key, JobMemory())

    def forget(self, key: Key) -> None:
        """There is neither job nor a pod of ours any more."""
        self._memories.pop(key, None)
        self.pods.drop(key)
        self._release(key)

    def put_pod(self, pod: Pod) -> None:
        """Takes a pod, if it bears the name of a job's pod."""
        if (key := key_of_pod(pod.metadata.namespace, pod.metadata.name)) is not None:
            self.pods.put(key, pod)

    def _job_changed(self, key: Key) -> None:
        job = self.jobs.get(key)
        if job is None:
            if self.pods.get(key) is None:  # else its pod may still write
                self._release(key)
        elif self._claimed.get(key) != (declared := (job.metadata.uid, job.metadata.generation)):
            self._claimed[key] = declared
            self._claim(key, document_claim(job, self._project_id))
        self._changed(key)

    def _pod_changed(self, key: Key) -> None:
        if self.jobs.get(key) is None and self.pods.get(key) is None:
            self._release(key)
        self._changed(key)

    def _release(self, key: Key) -> None:
        self._claimed.pop(key, None)
        self._claim(key, None)

    def _claim(self, key: Key, made: DocumentClaim | None) -> None:
        for each in self.claims.put(key, made):
            self._changed(each)


def has_operator_label(pod: Pod) -> bool:
    """Whether the LIST and the watch of pods, which select by this label, show the pod."""
    return pod.metadata.labels.get(identity.MANAGED_BY_LABEL) == identity.MANAGED_BY


def version(value: Job | Pod) -> int:
    """The resourceVersion as a number, which etcd's is. 0: there is none."""
    text = value.metadata.resource_version
    return int(text) if text.isdecimal() else 0
