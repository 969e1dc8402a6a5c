"""The parts of the operator: how they are created and connected to each other."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import msgspec
from kubernetes.aio.client.api_client import ApiClient

from sluice_contract import identity

from . import leadership, resync
from .account_repair import AccountRepair, WatchedAccounts
from .adapters.access import create_separate_client
from .adapters.account_watches import AccountWatch, create_account_watches
from .adapters.api import RequestSender
from .adapters.events import EventRecorder
from .adapters.kubernetes import KubernetesCluster
from .adapters.lease import KubernetesLease
from .adapters.page_turn import PageTurn
from .adapters.paged_lists import PagedLists
from .adapters.pauses import KubernetesAccessReviews, KubernetesPauses
from .adapters.pod_dry_run import KubernetesPodDryRun
from .adapters.policies import KubernetesPolicyStatuses, create_namespace_watch, create_policy_watch
from .domain.account_objects import AccountObject
from .domain.objects import Job, Key
from .domain.observation import PolicyProblem
from .domain.policy_objects import PolicyObject, TenantNamespace
from .domain.policy_trials import trials_of_operator
from .informer_cache import ClusterState
from .job_series import JobSeries, known_pause_end
from .kind_access import KindAccess
from .leadership import Leadership
from .live_reads import LiveReads
from .metrics import Metrics
from .object_follower import ObjectFollower
from .pause_access import PauseAccess
from .pause_lists import PauseLists
from .pause_status_writer import PauseStatusWriter, StatusClocks
from .policy_proof import PolicyProof
from .policy_status_writer import PolicyStatusWriter
from .ports import Cluster, PauseStore
from .reconcile import Reconciler, ReconcilerClocks
from .resync import Resync
from .settings import Settings
from .shared_key_log import SharedKeyLog
from .watch_ages import WatchAges
from .watchdog import LoopLagMonitor
from .workers import Workers
from .workqueue import WorkQueue

LEASE = "sluice-operator"
LEASE_PATIENCE_SHARE = 0.75  # of the time between two renewals


class PauseParts(msgspec.Struct, frozen=True):
    """The objects with which the operator reports about the pauses."""

    store: PauseStore
    statuses: PauseStatusWriter
    kind_access: KindAccess  # of the operator itself
    pod_access: PauseAccess  # of the ingest pods


class AccountParts(msgspec.Struct, frozen=True):
    """The objects that restore ServiceAccounts and RoleBindings."""

    repair: AccountRepair
    followers: list[ObjectFollower[AccountObject]]


class OperatorParts(msgspec.Struct, frozen=True):
    """The objects that make up a running operator."""

    settings: Settings
    api_client: ApiClient
    metrics: Metrics
    store: ClusterState
    queue: WorkQueue[Key]
    recorder: EventRecorder
    resync: Resync
    live_reads: LiveReads
    pauses: PauseParts
    reconciler: Reconciler
    cluster: Cluster
    page_turn: PageTurn  # taken while a page of a LIST is in memory, of the operator's own LISTs and of kopf's
    policy_proof: PolicyProof
    policy_follower: ObjectFollower[PolicyObject]
    namespace_follower: ObjectFollower[TenantNamespace]
    accounts: AccountParts
    policy_status_writer: PolicyStatusWriter
    workers: Workers
    lag_monitor: LoopLagMonitor
    leadership: Leadership
    watch_ages: WatchAges
    first_list_done: asyncio.Event  # set when the first LIST is complete, so that this replica can lead


@asynccontextmanager
async def assembled_parts(settings: Settings, api_client: ApiClient) -> AsyncIterator[OperatorParts]:
    """Yield the parts, connected to each other but not started. The HTTP clients are closed when the context ends."""
    metrics = Metrics()
    queue = WorkQueue[Key](time.monotonic, group_of=_namespace, most_of_group=settings.workers_of_one_namespace)
    async with api_client, create_separate_client(api_client) as lease_client:
        led = _create_leadership(settings, lease_client)
        page_turn = PageTurn()
        sender = RequestSender(api_client, write_seconds_left=led.write_seconds_left, count_denial=metrics.count_denial)
        pauses = _create_pause_parts(sender, settings, page_turn, lambda: store)
        log_shared_key = SharedKeyLog(time.monotonic).log_unless_recent
        store = ClusterState(queue, settings.project_id, log_shared_key, pauses.statuses.request_update)
        cluster = KubernetesCluster(sender, settings.namespaces, page_turn, store.jobs.get)
        lists = PagedLists(sender, page_turn)
        policy_watch, tenants = create_policy_watch(api_client, lists), create_namespace_watch(api_client, lists)
        policy_statuses = PolicyStatusWriter(KubernetesPolicyStatuses(sender), store.policies, _utc_now, asyncio.sleep)
        recorder = EventRecorder(cluster, metrics.count_dropped_event, time.monotonic, metrics.count_denial)
        clocks = ReconcilerClocks(_utc_now, time.monotonic, led.reachable_clock.seconds)
        reconciler = Reconciler(cluster, store, recorder, clocks, settings.pod_settings)

        pause_lists = PauseLists(pauses.store, store.pauses, pauses.kind_access)
        timing = resync.ResyncTiming(asyncio.sleep, random.random)

        def withhold_pods(problem: PolicyProblem | None) -> None:
            reconciler.set_policy_problem(problem)
            for key in store.jobs:
                queue.add(key)

        yield OperatorParts(
            settings=settings,
            api_client=api_client,
            metrics=metrics,
            store=store,
            queue=queue,
            recorder=recorder,
            resync=Resync(cluster, store, metrics, timing, pause_lists),
            live_reads=LiveReads(cluster, pauses.store, store, metrics, asyncio.sleep),
            pauses=pauses,
            reconciler=reconciler,
            cluster=cluster,
            page_turn=page_turn,
            policy_proof=PolicyProof(
                KubernetesPodDryRun(RequestSender(api_client)),
                trials_of_operator(settings.namespace, settings.namespaces),
                settings.image,
                withhold_pods if settings.require_policies else lambda _: None,
            ),
            policy_follower=ObjectFollower(identity.POLICIES, policy_watch, store.policies, asyncio.sleep),
            namespace_follower=ObjectFollower("namespaces", tenants, store.policies.namespaces, asyncio.sleep),
            accounts=_create_account_parts(
                create_account_watches(api_client, lists, settings.namespaces), cluster, store
            ),
            policy_status_writer=policy_statuses,
            workers=Workers(queue, reconciler.reconcile, led, metrics, reconciler.seconds_to_stop_deadline),
            lag_monitor=LoopLagMonitor(time.monotonic, metrics.loop_lag.set),
            leadership=led,
            watch_ages=WatchAges(time.monotonic),
            first_list_done=asyncio.Event(),
        )


def _create_account_parts(watches: Iterable[AccountWatch], cluster: Cluster, store: ClusterState) -> AccountParts:
    """Return the parts that restore ServiceAccounts and RoleBindings."""
    repair = AccountRepair(cluster, store, time.monotonic)
    watched = [(watch, WatchedAccounts(watch.namespace, store, repair.request)) for watch in watches]
    followers = [ObjectFollower(watch.plural, watch.source, each, asyncio.sleep) for watch, each in watched]
    return AccountParts(repair, followers)


def _create_pause_parts(
    sender: RequestSender, settings: Settings, page_turn: PageTurn, cluster_state: Callable[[], ClusterState]
) -> PauseParts:
    """Return the parts about pauses. `cluster_state` is called only once they are used."""
    store = KubernetesPauses(sender, settings.namespaces, page_turn)
    pod_access = PauseAccess(KubernetesAccessReviews(sender), lambda: cluster_state().namespaces_with_account)
    clocks = StatusClocks(_utc_now, time.monotonic)
    statuses = PauseStatusWriter(store, lambda: cluster_state().pauses, clocks, pod_access.problem_of_pause)
    return PauseParts(store, statuses, KindAccess(), pod_access)


def _create_leadership(settings: Settings, api_client: ApiClient) -> Leadership:
    # The Lease has its own connections, so that a renewal waits for no other request. Leadership limits the time.
    timings = settings.lease_timings
    api = RequestSender(api_client, timings.lease)
    leases = KubernetesLease(api, settings.namespace, LEASE, timings.retry * LEASE_PATIENCE_SHARE)
    clocks = leadership.ElectionClocks(_utc_now, _seconds_since_boot, lambda: os._exit(1))
    return Leadership(leases, holder_name(settings), timings, clocks)


def holder_name(settings: Settings) -> str:
    """Return the name of this process in the Lease.

    A container that restarts in the same pod has the name of its predecessor, which has ended, and so takes its own
    Lease back at once. Without the UID of a pod, each process has a name of its own.
    """
    return f"{settings.replica or socket.gethostname()}_{settings.pod_uid or uuid.uuid4().hex[:8]}"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _seconds_since_boot() -> float:
    # Unlike time.monotonic(), this clock advances while the machine sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def register_gauges(parts: OperatorParts) -> None:
    """Add the gauges that show the parts to the metrics."""
    parts.metrics.add_shared_keys(parts.store.key_claims.shared_keys)
    parts.metrics.add_gauge_by_kind(
        "kind_watched",
        "1 for each optional kind of objects that the operator watches, 0 for one that is not served or forbidden.",
        parts.pauses.kind_access.values_by_kind,
    )
    parts.metrics.add_gauge_by_kind(
        "pods_may_watch",
        "1 for each kind of pauses that ingest pods may watch, 0 for one that they may not.",
        parts.pauses.pod_access.values_by_kind,
    )
    parts.metrics.add_gauge_by_kind(
        "watch_age_seconds",
        "Seconds since the watch of each kind last showed that it works. A watch is renewed every five minutes.",
        parts.watch_ages.seconds_by_kind,
    )
    parts.metrics.add_text(
        JobSeries(partial(_jobs_of_leader, parts), lambda job: known_pause_end(parts.store, job, _utc_now())).text_parts
    )
    parts.metrics.add_rollouts(parts.reconciler.rollout.counts_by_cause)
    gauge = parts.metrics.add_gauge
    gauge("queue_depth", "Jobs that wait for a worker.", lambda: parts.queue.depth)
    gauge(
        "queue_oldest_seconds",
        "Seconds for which the oldest queued job has waited.",
        lambda: parts.queue.oldest_wait_seconds,
    )
    gauge(
        "queue_retries",
        "Reconciliations that failed and were queued for a retry, since the start.",
        lambda: parts.queue.retries,
    )
    gauge("jobs", "IngestJobs in the cache.", lambda: len(parts.store.jobs))
    gauge("pauses", "IngestPauses and ClusterIngestPauses in the cache.", lambda: len(parts.store.pauses))
    gauge("pods", "Ingest pods in the cache.", lambda: len(parts.store.pods))
    gauge("ingest_policies", "IngestPolicies that the operator knows.", lambda: len(parts.store.policies))
    for follower, gauge_name in ((parts.policy_follower, "ingest_policies"), (parts.namespace_follower, "namespaces")):
        gauge(
            f"{gauge_name}_readable",
            f"1 while the operator can read the {follower.kind} that IngestPolicies need, 0 otherwise.",
            partial(_is_readable, follower),
        )
    gauge("leader", "1 on the replica that leads, 0 on the standby.", lambda: parts.leadership.is_leading)
    gauge(
        "policies_proven",
        "1 while dry runs prove that the admission policies limit the operator's account, 0 otherwise.",
        lambda: parts.policy_proof.is_proven,
    )
    gauge(
        "lease_transitions",
        "Changes of the leading replica, as counted in the Lease.",
        lambda: parts.leadership.holder_changes,
    )


def _jobs_of_leader(parts: OperatorParts) -> list[Job]:
    """Return all jobs for their series; none on a replica that does not lead."""
    jobs = parts.store.jobs
    return [job for key in jobs if (job := jobs.get(key)) is not None] if parts.leadership.is_leading else []


def _is_readable(follower: ObjectFollower[PolicyObject] | ObjectFollower[TenantNamespace]) -> bool:
    return not follower.problem


def _namespace(key: Key) -> str:
    return key[0]
