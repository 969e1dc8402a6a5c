"""The wiring of the operator: the dependencies of its parts, and the order in which they start and stop."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import kopf
import msgspec
from kubernetes.aio.client.api_client import ApiClient

from . import leadership, logs, resync
from .adapters.access import (
    ReadOnlyMiddleware,
    WriteInReadOnlySession,
    create_read_only_session,
    create_separate_client,
)
from .adapters.api import RequestSender
from .adapters.events import EventRecorder
from .adapters.http_api import EndpointSources, http_server
from .adapters.kubernetes import KubernetesCluster
from .adapters.lease import KubernetesLease
from .cluster_uid import read_cluster_uid_or_empty
from .domain.objects import Key
from .handlers import kopf_registry, kopf_settings
from .informer_cache import ClusterState
from .leadership import Leadership
from .live_reads import LiveReads
from .metrics import Metrics
from .ports import Cluster
from .reconcile import Reconciler, ReconcilerClocks
from .resync import Resync
from .settings import Settings
from .watchdog import LoopLagMonitor, raise_when_kopf_watcher_is_missing
from .workers import StartGate, Workers
from .workqueue import WorkQueue

log = logging.getLogger(__name__)

LOGIN_EVERY_SECONDS = 5.0  # a token that is refused for a long time must not cause a loop of logins
KOPF_CONNECTIONS = 100
STOP_SECONDS = 10.0
LEASE = "sluice-operator"
LEASE_REQUEST_SHARE = 0.75  # of the time between two renewals


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
    reconciler: Reconciler
    cluster: Cluster
    workers: Workers
    lag_monitor: LoopLagMonitor
    leadership: Leadership
    first_list_done: asyncio.Event  # set when the first LIST is complete, so that this replica can lead


@asynccontextmanager
async def assembled_parts(settings: Settings, api_client: ApiClient) -> AsyncIterator[OperatorParts]:
    """Yield the parts, connected to each other but not started. The HTTP clients are closed when the context ends."""
    metrics, queue = Metrics(), WorkQueue[Key](time.monotonic, group_of=_namespace)
    store = ClusterState(queue.add, settings.project_id)
    async with api_client, create_separate_client(api_client) as lease_client:
        led = _create_leadership(settings, lease_client)
        cluster = KubernetesCluster(
            RequestSender(api_client, write_seconds_left=led.write_seconds_left), settings.namespaces
        )
        recorder = EventRecorder(cluster, metrics.count_dropped_event, time.monotonic)
        clocks = ReconcilerClocks(_utc_now, time.monotonic, led.reachable_clock.seconds)
        reconciler = Reconciler(cluster, store, recorder, clocks, settings.pod_settings)
        yield OperatorParts(
            settings=settings,
            api_client=api_client,
            metrics=metrics,
            store=store,
            queue=queue,
            recorder=recorder,
            resync=Resync(cluster, store, metrics, resync.ResyncTiming(asyncio.sleep, random.random)),
            live_reads=LiveReads(cluster, store, metrics, asyncio.sleep),
            reconciler=reconciler,
            cluster=cluster,
            workers=Workers(queue, reconciler.reconcile, led, metrics),
            lag_monitor=LoopLagMonitor(time.monotonic, metrics.loop_lag.set),
            leadership=led,
            first_list_done=asyncio.Event(),
        )


def _create_leadership(settings: Settings, api_client: ApiClient) -> Leadership:
    # The Lease has its own connections and time limit: a renewal waits for no other request and ends before the next.
    api = RequestSender(api_client, settings.lease_timings.retry * LEASE_REQUEST_SHARE)
    # Each process has a new name, so that a restarted process does not mistake the earlier one for itself.
    me = f"{settings.replica or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    timing = leadership.ElectionClocks(_utc_now, _seconds_since_boot, lambda: os._exit(1))
    return Leadership(KubernetesLease(api, settings.namespace, LEASE), me, settings.lease_timings, timing)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _seconds_since_boot() -> float:
    # Unlike time.monotonic(), this clock advances while the machine sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def run_operator(settings: Settings, api_client: ApiClient) -> None:
    """Run the operator until SIGTERM or SIGINT. Raises an ExceptionGroup with `WatchBroken` if it must be restarted."""
    async with assembled_parts(settings, api_client) as parts:
        _register_gauges(parts)
        health = EndpointSources(
            alive=parts.lag_monitor.loop_is_on_time,
            ready=parts.first_list_done.is_set,
            metrics=parts.metrics.encode_as_prometheus_text,
        )
        async with http_server(health, settings.host, settings.port):
            log.info("started", extra={"server": api_client.configuration.host, "image": settings.image})
            try:
                with logs.job_fields_in_log_lines(parts.store.jobs.get):
                    await _run_parts_until_signal(parts)
            finally:
                await parts.leadership.release_lease_if_leading()
    log.info("stopped")


async def _run_parts_until_signal(parts: OperatorParts) -> None:
    async with asyncio.TaskGroup() as group:
        # All tasks start before kopf: when kopf stops, it cancels every task that was started after it.
        endless = [
            group.create_task(parts.lag_monitor.run(), name="pulse"),
            group.create_task(parts.recorder.run(), name="recorder"),
            group.create_task(_run_after_gate_opens(parts.first_list_done, parts.leadership.run), name="election"),
            group.create_task(parts.leadership.exit_when_lease_expires(), name="deadline"),
            group.create_task(
                _run_after_gate_opens(parts.leadership, parts.resync.apply_accounts_and_role_bindings), name="accounts"
            ),
            group.create_task(
                _run_after_gate_opens(parts.first_list_done, lambda: parts.resync.run(parts.queue.add)), name="resync"
            ),
            group.create_task(_run_after_gate_opens(parts.first_list_done, parts.live_reads.run), name="live reads"),
            group.create_task(
                _run_after_gate_opens(parts.first_list_done, _raise_when_kopf_watcher_is_missing), name="watchdog"
            ),
        ]
        workers = group.create_task(parts.workers.run(parts.settings.workers), name="workers")
        if await _wait_for_first_list_or_signal(parts):
            await _run_kopf_watches_until_signal(parts)
        parts.queue.shut_down(parts.settings.workers)
        if parts.leadership.is_leading:
            await asyncio.wait([workers], timeout=STOP_SECONDS)
        for task in (*endless, workers):
            task.cancel()


async def _wait_for_first_list_or_signal(parts: OperatorParts) -> bool:
    """Wait for the first full LIST or for SIGTERM or SIGINT, and set `first_list_done` if the LIST is complete.

    Return whether it is complete.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    first, stopped = asyncio.create_task(parts.resync.list_until_complete()), asyncio.create_task(stop.wait())
    await asyncio.wait((first, stopped), return_when=asyncio.FIRST_COMPLETED)
    for task in (first, stopped):
        task.cancel()
    if stop.is_set():
        return False
    await first
    parts.reconciler.set_cluster_uid(await read_cluster_uid_or_empty(parts.cluster, asyncio.sleep))
    parts.first_list_done.set()
    return True


async def _run_kopf_watches_until_signal(parts: OperatorParts) -> None:
    """Run kopf's watches until SIGTERM or SIGINT. From here on, kopf handles the signals."""
    logging.getLogger("kopf.objects").addFilter(_has_no_refused_write)  # the session has already logged the refusal
    await kopf.operator(
        registry=kopf_registry(
            parts.store, _KopfLogin(parts.api_client, ReadOnlyMiddleware(parts.metrics.count_refused_kopf_write))
        ),
        settings=kopf_settings(),
        clusterwide=not parts.settings.namespaces,
        namespaces=parts.settings.namespaces,
        standalone=True,
    )


async def _run_after_gate_opens(gate: StartGate, work: Callable[[], Awaitable[None]]) -> None:
    """Wait until `gate` opens (at the first list, or when this replica leads), then run `work` until it returns."""
    await gate.wait()
    await work()


async def _raise_when_kopf_watcher_is_missing() -> None:
    """Check the tasks of this event loop until one of kopf's watchers is missing. Then raise `WatchBroken`."""
    await raise_when_kopf_watcher_is_missing(lambda: [task.get_name() for task in asyncio.all_tasks()])


def _register_gauges(parts: OperatorParts) -> None:
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
    gauge("pods", "Ingest pods in the cache.", lambda: len(parts.store.pods))
    gauge("leader", "1 on the replica that leads, 0 on the standby.", lambda: parts.leadership.is_leading)
    gauge(
        "lease_transitions",
        "Changes of the leading replica, as counted in the Lease.",
        lambda: parts.leadership.holder_changes,
    )


def _has_no_refused_write(record: logging.LogRecord) -> bool:
    """Return False for a log record about a write that kopf's read-only session refused, True for any other record."""
    return record.exc_info is None or not isinstance(record.exc_info[1], WriteInReadOnlySession)


class _KopfLogin:
    """The login handler of kopf. Each call returns a new read-only session, at most once every 5 s."""

    def __init__(self, api_client: ApiClient, read_only: ReadOnlyMiddleware) -> None:
        self._api_client = api_client
        self._read_only = read_only
        self._last_at = float("-inf")

    async def __call__(self) -> kopf.AiohttpSession:
        await asyncio.sleep(max(0.0, self._last_at + LOGIN_EVERY_SECONDS - time.monotonic()))
        self._last_at = time.monotonic()
        session = create_read_only_session(self._api_client, self._read_only, KOPF_CONNECTIONS)
        return kopf.AiohttpSession(server=self._api_client.configuration.host, aiohttp_session=session)


def _namespace(key: Key) -> str:
    return key[0]
