"""The creation of pods and of their account. Records what the API server refused or changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .domain import objects, pod_mutation
from .domain.observation import Observation, PodMutation, PodRefusal
from .domain.pod_mutation import Manifest
from .informer_cache import ClusterState, RecordedMutation, RecordedRefusal, TrackedJobState
from .live_objects import LiveObjects
from .ports import Cluster, ClusterError, Conflict, NotLeading, RequestRefused

log = logging.getLogger(__name__)


class PodCreator:
    """Creates pods and their account, and stores the created pods. A refusal is recorded, not raised."""

    def __init__(
        self, cluster: Cluster, store: ClusterState, live: LiveObjects, monotonic: Callable[[], float]
    ) -> None:
        """`monotonic` returns the time in seconds."""
        self._cluster = cluster
        self._store = store
        self._live = live
        self._monotonic = monotonic
        self._applies: dict[str, asyncio.Task[None]] = {}  # the requests in progress, by namespace

    async def apply_account_and_role_binding(self, key: objects.Key, observation: Observation) -> None:
        """Apply the ServiceAccount and the RoleBinding of the namespace. Raises `ClusterError` if a request fails.

        Jobs of one namespace that need this at the same time share the requests and their result.
        """
        try:
            await self._join_or_start_apply(key[0])
        except NotLeading:
            raise
        except ClusterError as error:
            self._record_error(key, observation, error)
            if not isinstance(error, RequestRefused):
                raise
        else:
            self._store.namespaces_with_account.add(key[0])

    async def _join_or_start_apply(self, namespace: str) -> None:
        running = self._applies.get(namespace)
        if running is None:
            running = self._applies[namespace] = asyncio.create_task(self._apply(namespace), name=f"apply {namespace}")
        await asyncio.shield(running)  # the task goes on for the other jobs if this one is cancelled

    async def _apply(self, namespace: str) -> None:
        try:
            await self._cluster.apply_account_and_role_binding(namespace)
        finally:
            del self._applies[namespace]

    async def create_pod(self, key: objects.Key, observation: Observation, manifest: Manifest, epoch: int) -> bool:
        """Create the pod, and record whether it differs from the manifest. Return False if the pod is refused.

        If a pod of this name exists already, store it: an earlier response was lost, or the pod is foreign. Raises
        `ClusterError` if the request fails.
        """
        memory, removals = self._store.tracked_state_of_job(key), self._store.pods.removals
        memory.last_epoch = max(memory.last_epoch, epoch)
        try:
            created = await self._cluster.create_pod(manifest)
        except NotLeading:
            raise
        except Conflict as conflict:
            if await self._live.refresh_pod(key) is None:
                self._record_error(key, observation, conflict)
                raise
            memory.last_refusal = None
            return True
        except ClusterError as error:
            self._record_error(key, observation, error)
            if not isinstance(error, RequestRefused):
                raise
            self._store.namespaces_with_account.discard(key[0])  # a missing account may be the cause
            return False
        memory.last_refusal = None
        self._record_mutation(key, observation, pod_mutation.first_difference(manifest, created), created)
        self._store.put_ingest_pod(objects.decode_pod(created), removals, "write")
        return True

    def _record_error(self, key: objects.Key, observation: Observation, error: ClusterError) -> None:
        """Store the error of the request for the pod or its account. The status of the job quotes it."""
        generation = observation.job.metadata.generation if observation.job is not None else 0
        memory, failures = self._store.tracked_state_of_job(key), 0
        if isinstance(error, RequestRefused):
            self._store.record_if_namespace_terminates(key[0], str(error))
            memory.last_mutation = None
            log.warning(
                "the API server refused the pod or its service account",
                extra={"job": "/".join(key), "reason": str(error)},
            )
        elif memory.last_refusal is not None:
            failures = memory.last_refusal.failures + 1
        else:
            failures = 1
        memory.last_refusal = RecordedRefusal(str(error), generation, self._monotonic(), failures)

    def _record_mutation(
        self,
        key: objects.Key,
        observation: Observation,
        difference: pod_mutation.FieldDifference | None,
        created: Manifest,
    ) -> None:
        memory = self._store.tracked_state_of_job(key)
        if difference is None:
            memory.last_mutation = None
            return
        earlier = mutation_with_age(memory, observation.cold_hash, self._monotonic())
        memory.last_mutation = RecordedMutation(
            difference.sentence(),
            observation.cold_hash,
            created["metadata"]["uid"],
            (earlier.pods_in_a_row if earlier is not None else 0) + 1,
            self._monotonic(),
        )
        log.warning(
            "the cluster changed the pod when it was created",
            extra={"job": "/".join(key), "field": difference.field},
        )


def refusal_with_age(memory: TrackedJobState, now: float) -> PodRefusal | None:
    """Return the last refusal and its age by the monotonic clock; None if the last request was not refused."""
    noted = memory.last_refusal
    if noted is None:
        return None
    return PodRefusal(noted.message, noted.generation, now - noted.at, noted.failures)


def mutation_with_age(memory: TrackedJobState, cold_hash: str, now: float) -> PodMutation | None:
    """Return how the last pod was changed, if it was, and if the operator would build the same pod now."""
    noted = memory.last_mutation
    if noted is None or noted.cold_hash != cold_hash:
        return None
    return PodMutation(noted.difference, noted.pod_uid, noted.pods_in_a_row, now - noted.at)
