"""The reconciliation of one job: observe, decide, act.

A pod is created before the status is written: the pod carries its epoch, and one write reports both. Any other step
comes after the status, which has what a crash in between must not lose.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec

from sluice_contract.providers import stream_has_end

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
from .domain.decision import decide, without_creation
from .domain.eviction import with_local_volumes_annotation
from .domain.objects import Job, Key
from .domain.observation import Observation, PolicyProblem
from .domain.pause_evidence import acknowledgements
from .domain.platform_bounds import first_denial_of_job
from .domain.workload import PodSettings
from .informer_cache import ClusterState, TrackedJobState
from .live_objects import LiveObjects
from .observation_ages import update_ages
from .pod_creation import PodCreator, mutation_with_age, refusal_with_age
from .pod_deletion import PodDeleter
from .ports import Cluster, ClusterError, EventQueue, EventReport, NotLeading, Unavailable
from .rollout_control import RolloutControl
from .status_delay import StatusDelay
from .status_writer import StatusWriter
from .tenant_labels import TenantLabels

log = logging.getLogger(__name__)

_MOST_CREATION_STEPS = 3  # the account, the pod, and one more decision if the job has changed meanwhile
_STOP_RETRY_SECONDS = 5.0  # between the attempts to enforce a stop
_CREATION_STEPS = (ApplyAccountAndRoleBinding, CreatePod)


class ReconcilerClocks(msgspec.Struct, frozen=True):
    """The clocks of a reconciler: one for the times in a status, two for durations."""

    now: Callable[[], datetime]  # timezone-aware
    monotonic: Callable[[], float]  # seconds
    reachable: Callable[[], float]  # seconds; stops while the API server is unreachable


class ReconcileResult(msgspec.Struct, frozen=True):
    """The result of a reconciliation: when the job has to be reconciled again.

    `requeue` is true if the reconciliation took a step, or found that the cache was stale; the job is then reconciled
    again at once.
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
        self._live = LiveObjects(cluster, store)
        self._creator = PodCreator(cluster, store, self._live, clocks.monotonic)
        self._deleter = PodDeleter(cluster, store, self._live)
        self._delay = StatusDelay(store, clocks.monotonic)
        self._statuses = StatusWriter(cluster, store, self._live, recorder)
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
        """Observe one job, take at most one step besides a creation, and write its status if that has changed.

        Raises `ClusterError` if a request fails; the caller then retries.
        """
        observation, decision = self._observe_and_decide(key)
        try:
            return await self._carry_out(key, observation, decision)
        finally:
            self.rollout.end_reservation(key, observation)

    def seconds_to_stop_deadline(self, key: Key) -> float | None:
        """Return in how many seconds the job has to be reconciled because of a stop, whatever fails; None if not."""
        observation = self.observe_and_update_ages(key)
        if stops.enforcement_is_due(observation):
            return _STOP_RETRY_SECONDS
        return min(stops.seconds_until_each_stop_deadline(observation), default=None)

    def _observe_and_decide(self, key: Key) -> tuple[Observation, Decision]:
        observation = self.rollout.request_turn(self.observe_and_update_ages(key))
        self._store.pauses.record_assessment(key, acknowledgements(observation))
        decision = decide(observation)
        self.rollout.count_decision(key, observation, decision)
        if key[0] in self._store.terminating_namespaces:
            decision = without_creation(decision)
        return observation, self._delay.delay_progress(key, observation, decision)

    async def _carry_out(self, key: Key, observation: Observation, decision: Decision) -> ReconcileResult:
        """Take the step of a decision, write the status and queue the Events."""
        if isinstance(decision.step, DeletePod) and decision.step.enforces is not None:
            try:
                await self._delete_unless_stop_is_confirmed(key, observation, decision.step)
            finally:  # a stop does not wait for a write, nor the status for a refused deletion
                await self._statuses.write_and_queue_events(key, observation, decision)
            return ReconcileResult(requeue=True)
        failure: ClusterError | None = None
        if isinstance(decision.step, _CREATION_STEPS):
            observation, decision, failure = await self._create(key, observation, decision)
        is_current = await self._statuses.write_and_queue_events(key, observation, decision)
        if failure is not None:
            raise failure
        if not is_current:
            return ReconcileResult(requeue=True)
        acted = await self._take_step(key, observation, decision.step)
        await self._tenants.check_occasionally(key)
        return ReconcileResult(requeue=acted, requeue_after=decision.requeue_after)

    async def _create(
        self, key: Key, observation: Observation, decision: Decision
    ) -> tuple[Observation, Decision, ClusterError | None]:
        """Create the account and the pod. Return the observation and the decision after that, and why it failed."""
        for _ in range(_MOST_CREATION_STEPS):
            failure = None
            try:
                await self._create_unless_tenant_has_changed(key, observation, decision.step)
            except NotLeading:
                raise
            except ClusterError as error:
                failure = error
            observation, decision = self._observe_and_decide(key)
            if failure is not None or not isinstance(decision.step, _CREATION_STEPS):
                break
        return observation, decision, failure

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
            deleted_pod=memory.deleted_pod,
            last_epoch=memory.last_epoch,
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

    async def _take_step(self, key: Key, observation: Observation, step: Step) -> bool:
        """Take the step. Return whether the job has to be reconciled again at once."""
        match step:
            case None:
                return False
            case ApplyAccountAndRoleBinding() | CreatePod():
                return True  # the job has changed again and again while the pod was created
            case DeletePod():
                await self._deleter.delete_unless_cache_is_stale(key, observation, step)
                return True
            case ReadTenantLabel():
                await self._tenants.refresh_if_old(key[0])
                return True
            case RefreshFromAPI():
                return await self._refresh_job_and_pod(key, observation)

    async def _create_unless_tenant_has_changed(self, key: Key, observation: Observation, step: Step) -> None:
        """Create the account or the pod, unless the namespace no longer serves the tenant of the job."""
        job = observation.job
        if job is None or await self._tenants.has_changed(job):
            return
        if not isinstance(step, CreatePod):
            await self._creator.apply_account_and_role_binding(key, observation)
            return
        if job.spec is not None and stream_has_end(job.spec):
            await self._live.refresh_job(key)  # a pod that is gone may have finished: its report may be late
            if self._store.jobs.get(key) != job:
                return
        manifest = workload.pod_manifest(job, step.epoch, observation.cold_hash, self._pods)
        manifest = with_local_volumes_annotation(manifest)
        if not await self._creator.create_pod(key, observation, manifest, step.epoch):
            await self._tenants.check_after_refusal(key[0])

    async def _delete_unless_stop_is_confirmed(self, key: Key, observation: Observation, step: DeletePod) -> None:
        """Delete a pod that has not confirmed a stop, and queue the Event about it.

        Do nothing if a live read of the job shows that the pod has confirmed the stop.
        """
        await self._live.refresh_job(key)
        if not stops.enforcement_is_due(self.observe_and_update_ages(key)):
            return
        # A missing RoleBinding may prevent the pod from reading and reporting.
        self._store.namespaces_with_account.discard(key[0])
        await self._deleter.delete_unless_cache_is_stale(key, observation, step)
        pod = self._store.pods.get(key)
        is_deleted = pod is None or pod.metadata.uid != step.uid or facts.pod_is_terminating(pod)
        if is_deleted and step.enforces is not None and observation.job is not None:
            self._recorder.queue_or_drop(EventReport(key, observation.job.metadata.uid, step.enforces))

    async def _refresh_job_and_pod(self, key: Key, observation: Observation) -> bool:
        """Read the job and its pod live and store them. Return whether this confirmed an overdue heartbeat."""
        memory = self._store.tracked_state_of_job(key)
        try:
            await self._live.refresh_job(key)
            await self._live.refresh_pod(key)
        except Unavailable:
            memory.heartbeat_at = self._clocks.reachable()  # the pod could not have reported in this time either
            raise
        if memory.terminating_uid:
            memory.terminating_read_at, memory.terminating_reads = (
                self._clocks.reachable(),
                memory.terminating_reads + 1,
            )
        memory.confirmed_heartbeat = memory.heartbeat
        # A change has already added the key, and a heartbeat that was confirmed before changes nothing.
        return facts.heartbeat_is_overdue(observation) and not observation.heartbeat_was_looked_up
