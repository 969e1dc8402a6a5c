"""The known objects of the cluster and the operator's observations, in memory. A restart rebuilds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from sluice_contract.status import IngestJobStatus

from .domain import facts
from .domain.changes import Urgency, urgency_of_job_change, urgency_of_pod_change
from .domain.document_claims import DocumentClaim, DocumentClaims, document_claim
from .domain.key_claims import KeyClaims, claimed_key_digest
from .domain.objects import Job, Key, Pod, job_key_of_pod_name, job_sharing_memory_with
from .domain.pause_objects import PauseKey
from .domain.replacements import Replacements
from .object_cache import ObjectCache, Origin
from .pause_state import PauseState
from .policy_state import PolicyState

_TERMINATING = "because it is being terminated"  # the words of the API server about a namespace


class KeyQueue(Protocol):
    """The work queue, as the cluster state uses it."""

    def add(self, key: Key) -> None:
        """Add a key because of what the operator itself has done. A running backoff goes on."""

    def add_changed(self, key: Key) -> None:
        """Add a key because another client has changed something. A running backoff ends."""

    def add_soon(self, key: Key) -> None:
        """Add a key in a moment, together with what else changes until then."""


class RecordedRefusal(msgspec.Struct, frozen=True):
    """A request for a pod that the API server refused or did not serve, and its time by the monotonic clock.

    `failures` is 0 if it was refused, and otherwise the number of requests in a row that failed in another way.
    """

    message: str
    generation: int
    at: float
    failures: int = 0


class RecordedMutation(msgspec.Struct, frozen=True):
    """A created pod that differs from the requested pod, and the time of its creation by the monotonic clock."""

    difference: str
    cold_hash: str
    pod_uid: str
    pods_in_a_row: int
    at: float


class RecordedTenant(msgspec.Struct, frozen=True):
    """The tenant label of a Namespace, and the time of the last attempt to read it by the monotonic clock."""

    label: str | None
    was_labelled: bool  # by this or an earlier read
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
    hashes: tuple[str, int, str, str] = ("", -1, "", "")  # job uid, generation, cold hash, spec hash
    written_status: int | None = None  # the digest of the status that the operator wrote last
    uid_of_deletion: str = ""  # the pod whose deletion the operator has requested
    deleted_pod: Pod | None = None  # the last pod, if another client has deleted it and it is gone
    progress_since: float | None = None  # the time of the first state of a start that the status does not have yet
    last_epoch: int = 0  # the highest epoch of a pod that was requested
    terminating_uid: str = ""  # the pod that terminates
    terminating_read_at: float = 0.0  # when it was first seen terminating, or last read
    terminating_reads: int = 0


class ClusterState:
    """The caches of jobs and pods, and the observations of each job. A change adds the job's key to the work queue.

    A change of a job's claim to documents also adds the keys of the jobs whose document conflicts may have changed. A
    change of a job's claim to a provider's key adds a job of each namespace that begins or ceases to share it.
    """

    def __init__(
        self,
        queue: KeyQueue,
        project_id: str = "",
        provider_key_is_shared: Callable[[tuple[Key, ...]], None] = lambda _: None,
        pause_changed: Callable[[PauseKey], None] = lambda _: None,
    ) -> None:
        """`project_id` is the Google Cloud project of jobs that name none.

        `provider_key_is_shared` is called with a job of each namespace when a further namespace uses a provider's key.
        `pause_changed` is called with each pause whose status may have changed.
        """
        self.jobs: ObjectCache[Job] = ObjectCache(self._on_job_change, lambda _: True, job_sharing_memory_with)
        self.pods: ObjectCache[Pod] = ObjectCache(self._on_pod_change, facts.pod_has_operator_label)
        self.pauses = PauseState(queue.add_changed, pause_changed)
        self.claims = DocumentClaims()
        self.key_claims = KeyClaims()
        self.policies = PolicyState(queue.add_changed)
        self.replacements = Replacements()
        self.namespaces_with_account: set[str] = set()  # in which the ServiceAccount and RoleBinding are applied
        self.terminating_namespaces: set[str] = set()  # nothing is created or reported in them
        self.tenants: dict[str, RecordedTenant] = {}  # by namespace
        self._queue = queue
        self._changed = queue.add_changed
        self._project_id = project_id
        self._provider_key_is_shared = provider_key_is_shared
        self._memories: dict[Key, TrackedJobState] = {}
        self._claimed: dict[Key, tuple[str, int]] = {}  # the job UID and generation of each claim

    def tracked_state_of_job(self, key: Key) -> TrackedJobState:
        """Return the operator's observations of the job, created empty on first use. The caller updates them."""
        return self._memories.setdefault(key, TrackedJobState())

    def forget_job(self, key: Key) -> None:
        """Remove all data about a job that no longer exists and has no pod of the operator."""
        self._memories.pop(key, None)
        self.pods.remove_without_notice(key)
        self._update_key_claim(key)
        self._release_claim_and_requeue_affected(key)

    def requeue(self, key: Key) -> None:
        """Add the key to the work queue, although nothing of its job has changed."""
        self._queue.add(key)

    def record_if_namespace_terminates(self, namespace: str, refusal: str) -> None:
        """Record that the namespace is being deleted, if the API server refused a request for this reason.

        The record ends with the last job of the namespace, or with the first new one: none can be created in a
        namespace that is being deleted.
        """
        if _TERMINATING in refusal:
            self.terminating_namespaces.add(namespace)

    def put_ingest_pod(self, pod: Pod, removals: int = 0, origin: Origin = "response") -> None:
        """Store the pod of a response, as `put_if_newer` does. Ignore it if its name is not that of an ingest pod."""
        if (key := job_key_of_pod_name(pod.metadata.namespace, pod.metadata.name)) is not None:
            self.pods.put_if_newer(key, pod, removals, origin)

    def record_status_write(self, key: Key, status: IngestJobStatus) -> None:
        """Record the status that is about to be written, so that its watch event is known to be the operator's own."""
        self.tracked_state_of_job(key).written_status = _digest(status)

    def retry_jobs_of_namespace(self, namespace: str) -> None:
        """Add the keys of all jobs of the namespace to the work queue, without the wait after a refused pod."""
        for key in [key for key in self.jobs if key[0] == namespace]:
            self.tracked_state_of_job(key).last_refusal = None
            self._changed(key)

    def _on_job_change(self, key: Key, before: Job | None, job: Job | None, origin: Origin) -> None:
        self._update_terminating_namespaces(key, before, job)
        if job is None:
            self.policies.remove_job(key)
            if self.pods.get(key) is None:  # otherwise the pod may still write
                self._release_claim_and_requeue_affected(key)
        elif self._claimed.get(key) != (declared := (job.metadata.uid, job.metadata.generation)):
            self._claimed[key] = declared
            self.policies.put_job(job)
            self._replace_claim_and_requeue_affected(key, document_claim(job, self._project_id))
        self.pauses.update_job(key, job)
        self._update_key_claim(key)
        if (next_key := self.replacements.replace_job(key, job)) is not None:
            self._queue.add(next_key)
        memory = self._memories.get(key)
        written = memory.written_status if memory is not None else None
        urgency = urgency_of_job_change(before, job, lambda status: _digest(status) == written)
        # Only a change of the spec, for example a stop, matters at once although the operator has read it by itself.
        has_new_spec = before is not None and job is not None and urgency == "now"
        self._add_key(key, urgency, "watch" if has_new_spec else origin)

    def _update_terminating_namespaces(self, key: Key, before: Job | None, job: Job | None) -> None:
        if key[0] not in self.terminating_namespaces:
            return
        is_new = job is not None and (before is None or before.metadata.uid != job.metadata.uid)
        if is_new or (job is None and all(namespace != key[0] for namespace, _ in self.jobs)):
            self.terminating_namespaces.discard(key[0])

    def _on_pod_change(self, key: Key, before: Pod | None, pod: Pod | None, origin: Origin) -> None:
        job = self.jobs.get(key)
        if pod is None and before is not None and (memory := self._memories.get(key)) is not None:
            is_own = before.metadata.uid == memory.uid_of_deletion or facts.pod_has_ended(before)
            memory.deleted_pod = None if is_own else before
        if job is None and pod is None:
            self._release_claim_and_requeue_affected(key)
        self._update_key_claim(key)
        self._add_key(key, urgency_of_pod_change(job, before, pod), origin)

    def _add_key(self, key: Key, urgency: Urgency, origin: Origin) -> None:
        """Add the key to the work queue. What the operator has read or written by itself ends no backoff."""
        if urgency == "never" or origin == "write":
            return
        if origin == "response":
            self._queue.add(key)
        elif urgency == "now" or self.pauses.pauses_of_job(key):
            self._changed(key)
        else:
            self._queue.add_soon(key)

    def _update_key_claim(self, key: Key) -> None:
        """Update which provider's key the job uses. Add the jobs that begin or cease to share one to the work queue."""
        change = self.key_claims.replace_claim(key, claimed_key_digest(self.jobs.get(key), self.pods.get(key)))
        for each in change.affected:
            self._changed(each)
        if change.sharing:
            self._provider_key_is_shared(change.sharing)

    def _release_claim_and_requeue_affected(self, key: Key) -> None:
        """Remove the job's claim to documents. Add the jobs whose document conflicts may change to the work queue."""
        self._claimed.pop(key, None)
        self._replace_claim_and_requeue_affected(key, None)

    def _replace_claim_and_requeue_affected(self, key: Key, claim: DocumentClaim | None) -> None:
        """Replace the job's claim to documents. Add the jobs whose document conflicts may change to the work queue."""
        for each in self.claims.replace_claim(key, claim):
            self._changed(each)


def _digest(status: IngestJobStatus) -> int:
    return hash(msgspec.json.encode(status))
