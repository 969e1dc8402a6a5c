"""The reconciliation of one job: observe, decide, act.

Each reconciliation takes at most one step. Each write adds the key to the work queue again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec

from .domain import facts, stops, workload
from .domain.actions import (
    ApplyAccountAndRoleBinding,
    CreatePod,
    Decision,
    DeletePod,
    ReadTenantLabel,
    RefreshFromAPI,
    Step,
)
from .domain.decision import decide
from .domain.eviction import with_local_volumes_annotation
from .domain.objects import Job, Key, Pod
from .domain.observation import Observation, PolicyProblem
from .domain.pause_evidence import acknowledgements
from .domain.platform_bounds import first_denial_of_job
from .domain.workload import PodSettings
from .informer_cache import ClusterState, TrackedJobState
from .observation_ages import update_ages
from .pod_creation import PodCreator, mutation_with_age, refusal_with_age
from .ports import Cluster, Conflict, EventQueue, EventReport, NotFound, Unavailable
from .rollout_control import RolloutControl
from .tenant_labels import TenantLabels

log = logging.getLogger(__name__)


class ReconcilerClocks(msgspec.Struct, frozen=True):
    """The clocks of a reconciler: one for the times in a status, two for durations."""

    now: Callable[[], datetime]  # timezone-aware
    monotonic: Callable[[], float]  # seconds
    reachable: Callable[[], float]  # seconds; stops while the API server is unreachable


class ReconcileResult(msgspec.Struct, frozen=True):
    """The result of a reconciliation: when the job has to be reconciled again.

    `requeue` is true if the reconciliation wrote or read something; the job is then reconciled again at once.
    `requeue_after` is the number of seconds to the next reconciliation; None if none is needed.
    """

    requeue: bool = False
    requeue_after: float | None = None


class Reconciler:
    """A reconciler observes a job, decides, and carries out the decision. It keeps no state of its own."""

    def __init__(
        self, cluster: Cluster, store: ClusterState, recorder: EventQueue, clocks: ReconcilerClocks, pods: PodSettings
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._recorder = recorder
        self._clocks = clocks
        self._pods = pods
        self._creator = PodCreator(cluster, store, clocks.monotonic)
        self.rollout = RolloutControl(store, pods.rollout, clocks.monotonic, clocks.now)
        self._policy_problem: PolicyProblem | None = None
        self._tenants = TenantLabels(cluster, store, clocks.monotonic)

    def set_cluster_uid(self, uid: str) -> None:
        """Set the UID of the cluster that new pods get. It does not change the pods that run."""
        self._pods = msgspec.structs.replace(self._pods, cluster=uid)

    def set_policy_problem(self, problem: PolicyProblem | None) -> None:
        """Withhold all new pods because of this problem; None allows them again. Pods that run are not affected."""
        self._policy_problem = problem

    async def reconcile(self, key: Key) -> ReconcileResult:
        """Observe one job, write its status if that has changed, and take at most one step.

        Raises `ClusterError` if a request fails; the caller then retries.
        """
        observation = self.rollout.request_turn(self.observe_and_update_ages(key))
        self._store.pauses.record_assessment(key, acknowledgements(observation))
        decision = decide(observation)
        self.rollout.count_decision(key, observation, decision)
        try:
            return await self._carry_out(key, observation, decision)
        finally:
            self.rollout.end_reservation(key, observation)

    async def _carry_out(self, key: Key, observation: Observation, decision: Decision) -> ReconcileResult:
        """Write the status, queue the Events and take the step of a decision."""
        acted = False
        try:
            if isinstance(decision.step, DeletePod) and decision.step.enforces is not None:
                acted = await self._delete_unless_stop_is_confirmed(key, observation, decision.step)
        finally:  # a stop does not wait for a write, nor the status for a refused deletion
            wrote = await self._write_status_and_queue_events(key, observation, decision)
        if wrote is None:
            await self._refresh_job(key)  # the job was deleted meanwhile, so there is nothing to do
            return ReconcileResult(requeue=True)
        acted = acted or await self._take_step(key, observation, decision.step)
        await self._tenants.check_occasionally(key)
        return ReconcileResult(requeue=wrote or acted, requeue_after=decision.requeue_after)

    def observe_and_update_ages(self, key: Key) -> Observation:
        """Return what the caches say about the job and its pod now, and update how long each of its states has lasted.

        If neither the job nor a pod that the operator created exists, the operator forgets the job.
        """
        job, pod, memory = self._store.jobs.get(key), self._store.pods.get(key), self._store.tracked_state_of_job(key)
        if job is None and (pod is None or not facts.pod_was_created_by_operator(pod)):
            self._store.forget_job(key)
        now, (cold_hash, spec_hash) = self._clocks.monotonic(), self._cached_hashes(job, memory)
        observation = Observation(
            now=self._clocks.now(),
            job=job,
            pod=pod,
            cold_hash=cold_hash,
            spec_hash=spec_hash,
            account_is_applied=key[0] in self._store.namespaces_with_account,
            refusal=refusal_with_age(memory, now),
            mutation=mutation_with_age(memory, cold_hash, now),
            conflict=self._store.claims.find_conflict(key),
            policy_problem=self._policy_problem,
            key_is_shared=self._store.key_claims.is_shared(key),
            tenant=self._tenants.tenant_of(key[0]),
            pauses=self._store.pauses.pauses_of_job(key),
            denial=first_denial_of_job(job, self._pods.bounds),
            policy_verdict=self._store.policies.verdict(job),
        )
        return msgspec.structs.replace(observation, **update_ages(observation, memory, self._clocks.reachable()))

    def _cached_hashes(self, job: Job | None, memory: TrackedJobState) -> tuple[str, str]:
        """Return the cold hash and the spec hash of the job; empty if there is no understood spec.

        They are computed once for each generation.
        """
        if job is None or job.spec is None:
            return "", ""
        uid, generation = job.metadata.uid, job.metadata.generation
        if memory.hashes[:2] != (uid, generation):
            memory.hashes = (uid, generation, workload.cold_hash(job, self._pods), workload.spec_hash(job))
        return memory.hashes[2:]

    async def _write_status_and_queue_events(
        self, key: Key, observation: Observation, decision: Decision
    ) -> bool | None:
        """Write the status of the decision, if it has one, and queue its Events.

        Return whether a status was written; None if the job is gone.
        """
        if decision.status is None or observation.job is None:
            return False
        try:
            self._store.jobs.put_if_newer(key, await self._cluster.write_operator_status(key, decision.status))
        except NotFound:
            return None
        for transition in decision.transitions:
            self._recorder.queue_or_drop(EventReport(key, observation.job.metadata.uid, transition))
        return True

    async def _take_step(self, key: Key, observation: Observation, step: Step) -> bool:
        """Take the step. Return whether the job has to be reconciled again at once."""
        match step:
            case None:
                return False
            case ApplyAccountAndRoleBinding() | CreatePod():
                await self._create_unless_tenant_has_changed(key, observation, step)
                return True
            case DeletePod():
                return await self._delete_pod_unless_cache_is_stale(key, observation, step)
            case ReadTenantLabel():
                await self._tenants.refresh_if_old(key[0])
                return True
            case RefreshFromAPI():
                return await self._refresh_job_and_pod(key, observation)

    async def _create_unless_tenant_has_changed(
        self, key: Key, observation: Observation, step: ApplyAccountAndRoleBinding | CreatePod
    ) -> None:
        """Create the account or the pod, unless the namespace no longer serves the tenant of the job."""
        if observation.job is None or await self._tenants.has_changed(observation.job):
            return
        if isinstance(step, CreatePod):
            await self._create_pod(key, observation, step.epoch)
        else:
            await self._creator.apply_account_and_role_binding(key, observation)

    async def _create_pod(self, key: Key, observation: Observation, epoch: int) -> None:
        if observation.job is None:
            return
        manifest = workload.pod_manifest(observation.job, epoch, observation.cold_hash, self._pods)
        manifest = with_local_volumes_annotation(manifest)
        try:
            if not await self._creator.create_pod(key, observation, manifest, epoch):
                await self._tenants.check_after_refusal(key[0])
        except Conflict:
            # The response to an earlier creation was lost, or the pod is foreign: the next pass decides.
            await self._refresh_pod(key)

    async def _delete_unless_stop_is_confirmed(self, key: Key, observation: Observation, step: DeletePod) -> bool:
        """Delete a pod that has not confirmed a stop, and queue the Event about it.

        Do nothing if a live read of the job shows that the pod has confirmed the stop. Return True.
        """
        await self._refresh_job(key)
        if not stops.enforcement_is_due(self.observe_and_update_ages(key)):
            return True
        # A missing RoleBinding may prevent the pod from reading and reporting.
        self._store.namespaces_with_account.discard(key[0])
        await self._delete_pod_unless_cache_is_stale(key, observation, step)
        pod = self._store.pods.get(key)
        is_deleted = pod is None or pod.metadata.uid != step.uid or facts.pod_is_terminating(pod)
        if is_deleted and step.enforces is not None and observation.job is not None:
            self._recorder.queue_or_drop(EventReport(key, observation.job.metadata.uid, step.enforces))
        return True

    async def _delete_pod_unless_cache_is_stale(self, key: Key, observation: Observation, step: DeletePod) -> bool:
        """Delete a pod, unless live reads show that the cached objects, on which the decision is based, are stale.

        Return True.
        """
        if observation.conflict is not None:
            holder = observation.conflict.holder
            await self._refresh_job(holder)
            await self._refresh_pod(holder)  # the pod of a deleted job may still write
            if self._store.claims.find_conflict(key) != observation.conflict:
                return True
        job, pod = await self._refresh_job(key), await self._refresh_pod(key)
        if (
            _uid_and_generation(job) != _uid_and_generation(observation.job)
            or pod is None
            or _uid_and_version(pod) != (step.uid, step.resource_version)
        ):
            return True
        try:
            await self._cluster.delete_pod(key, step.uid, step.resource_version)
        except Conflict:
            return True  # the pod has just changed: reconcile again
        except NotFound:
            self._store.pods.remove_if_same_uid(key, step.uid)
            return True
        await self._refresh_pod(key)
        return True

    async def _refresh_job_and_pod(self, key: Key, observation: Observation) -> bool:
        """Read the job and its pod live and store them. Return whether the heartbeat was overdue before."""
        memory = self._store.tracked_state_of_job(key)
        try:
            await self._refresh_job(key)
            await self._refresh_pod(key)
        except Unavailable:
            memory.heartbeat_at = self._clocks.reachable()  # the pod could not have reported in this time either
            raise
        memory.confirmed_heartbeat = memory.heartbeat
        return facts.heartbeat_is_overdue(observation)  # a change has already added the key

    async def _refresh_job(self, key: Key) -> Job | None:
        """Read the job live and store it, or remove it if it is gone. Return the job; None if it is gone."""
        try:
            job = await self._cluster.read_job(key)
        except NotFound:
            if (known := self._store.jobs.get(key)) is not None:
                self._store.jobs.remove_if_same_uid(key, known.metadata.uid)
            return None
        self._store.jobs.put_if_newer(key, job)
        return job

    async def _refresh_pod(self, key: Key) -> Pod | None:
        """Read the pod live and store it, or remove it if it is gone. Return the pod; None if it is gone."""
        try:
            pod = await self._cluster.read_pod(key)
        except NotFound:
            if (known := self._store.pods.get(key)) is not None:
                self._store.pods.remove_if_same_uid(key, known.metadata.uid)
            return None
        self._store.put_ingest_pod(pod)
        return pod


def _uid_and_generation(job: Job | None) -> tuple[str, int] | None:
    return (job.metadata.uid, job.metadata.generation) if job is not None else None


def _uid_and_version(pod: Pod) -> tuple[str, str]:
    return pod.metadata.uid, pod.metadata.resource_version
