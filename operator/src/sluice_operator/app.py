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
from .adapters.access import ReadOnly, WriteRefused, another, session_for_kopf
from .adapters.api import Api
from .adapters.events import EventRecorder
from .adapters.http_api import Health, served
from .adapters.kubernetes import KubernetesCluster
from .adapters.lease import KubernetesLease
from .domain.objects import Key
from .handlers import kopf_settings, registry
from .informer_cache import ClusterState
from .leadership import Leadership
from .live_reads import LiveReads
from .metrics import Metrics
from .reconcile import Clocks, Reconciler
from .resync import Resync
from .settings import Settings
from .watchdog import LoopLagMonitor, watch_watchers
from .workers import Gate, Workers
from .workqueue import WorkQueue

log = logging.getLogger(__name__)

LOGIN_EVERY_SECONDS = 5.0  # a token that is refused for a long time must not cause a loop of logins
KOPF_CONNECTIONS = 100
STOP_SECONDS = 10.0
LEASE = "sluice-operator"
LEASE_REQUEST_SHARE = 0.75  # of the time between two renewals


class Parts(msgspec.Struct, frozen=True):
    """The parts of the operator that run."""

    settings: Settings
    api_client: ApiClient
    metrics: Metrics
    store: ClusterState
    queue: WorkQueue[Key]
    recorder: EventRecorder
    resync: Resync
    live_reads: LiveReads
    workers: Workers
    pulse: LoopLagMonitor
    leadership: Leadership
    warm: asyncio.Event  # set when the first LIST is complete, so that this replica can lead


@asynccontextmanager
async def assembled_parts(settings: Settings, api_client: ApiClient) -> AsyncIterator[Parts]:
    """Yield all parts, wired but not started. The connections to the API server are open in the context."""
    metrics, queue = Metrics(), WorkQueue[Key](time.monotonic)
    store = ClusterState(queue.add, settings.project_id)
    async with api_client, another(api_client) as lease_way:
        led = _leadership(settings, lease_way)
        cluster = KubernetesCluster(Api(api_client, may_write_seconds=led.seconds_left), settings.namespaces)
        recorder = EventRecorder(cluster, metrics.dropped, time.monotonic)
        clocks = Clocks(_now, time.monotonic, led.reachability.seconds)
        reconciler = Reconciler(cluster, store, recorder, clocks, settings.pods)
        yield Parts(
            settings=settings,
            api_client=api_client,
            metrics=metrics,
            store=store,
            queue=queue,
            recorder=recorder,
            resync=Resync(cluster, store, metrics, resync.ResyncTiming(asyncio.sleep, random.random)),
            live_reads=LiveReads(cluster, store, metrics, asyncio.sleep),
            workers=Workers(queue, reconciler.reconcile, led, metrics),
            pulse=LoopLagMonitor(time.monotonic, metrics.loop_lag.set),
            leadership=led,
            warm=asyncio.Event(),
        )


def _leadership(settings: Settings, api_client: ApiClient) -> Leadership:
    # The Lease has its own connections and time limit: a renewal waits for no other request and ends before the next.
    api = Api(api_client, settings.terms.retry * LEASE_REQUEST_SHARE)
    # Each process has a new name, so that a restarted process does not mistake the earlier one for itself.
    me = f"{settings.replica or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    timing = leadership.ElectionClocks(_now, _seconds, lambda: os._exit(1))
    return Leadership(KubernetesLease(api, settings.namespace, LEASE), me, settings.terms, timing)


def _now() -> datetime:
    return datetime.now(UTC)


def _seconds() -> float:
    # Unlike time.monotonic(), this clock advances while the machine sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def run(settings: Settings, api_client: ApiClient) -> None:
    """Run until a signal arrives. Raise an ExceptionGroup with `WatchBroken` if only a new process helps."""
    async with assembled_parts(settings, api_client) as parts:
        _expose(parts)
        health = Health(alive=parts.pulse.is_steady, ready=parts.warm.is_set, metrics=parts.metrics.page)
        async with served(health, settings.host, settings.port):
            log.info("started", extra={"server": api_client.configuration.host, "image": settings.image})
            try:
                with logs.job_fields(parts.store.jobs.get):
                    await _run_parts(parts)
            finally:
                await parts.leadership.release()
    log.info("stopped")


async def _run_parts(parts: Parts) -> None:
    async with asyncio.TaskGroup() as group:
        # All tasks start before kopf: when kopf stops, it cancels every task that was started after it.
        endless = [
            group.create_task(parts.pulse.run(), name="pulse"),
            group.create_task(parts.recorder.run(), name="recorder"),
            group.create_task(_run_when_open(parts.warm, parts.leadership.run), name="election"),
            group.create_task(parts.leadership.guard(), name="deadline"),
            group.create_task(_run_when_open(parts.leadership, parts.resync.ensure_accounts), name="accounts"),
            group.create_task(_run_when_open(parts.warm, lambda: parts.resync.run(parts.queue.add)), name="resync"),
            group.create_task(_run_when_open(parts.warm, parts.live_reads.run), name="live reads"),
            group.create_task(_run_when_open(parts.warm, _watch_watchers), name="watchdog"),
        ]
        workers = group.create_task(parts.workers.run(parts.settings.workers), name="workers")
        if await _listed(parts):
            await _reflect(parts)
        parts.queue.shut_down(parts.settings.workers)
        if parts.leadership.holds:
            await asyncio.wait([workers], timeout=STOP_SECONDS)
        for task in (*endless, workers):
            task.cancel()


async def _listed(parts: Parts) -> bool:
    """Run the first LIST until it is complete or a signal arrives; return whether it is complete."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    first, stopped = asyncio.create_task(parts.resync.first()), asyncio.create_task(stop.wait())
    await asyncio.wait((first, stopped), return_when=asyncio.FIRST_COMPLETED)
    for task in (first, stopped):
        task.cancel()
    if stop.is_set():
        return False
    await first
    parts.warm.set()
    return True


async def _reflect(parts: Parts) -> None:
    """Run kopf's watches until a signal arrives; kopf takes over the handling of signals."""
    logging.getLogger("kopf.objects").addFilter(_has_no_refused_write)  # the session has already logged the refusal
    await kopf.operator(
        registry=registry(parts.store, _Login(parts.api_client, ReadOnly(parts.metrics.count_refused_write))),
        settings=kopf_settings(),
        clusterwide=not parts.settings.namespaces,
        namespaces=parts.settings.namespaces,
        standalone=True,
    )


async def _run_when_open(gate: Gate, work: Callable[[], Awaitable[None]]) -> None:
    await gate.wait()
    await work()


async def _watch_watchers() -> None:
    await watch_watchers(lambda: [task.get_name() for task in asyncio.all_tasks()])


def _expose(parts: Parts) -> None:
    gauge = parts.metrics.gauge
    gauge("queue_depth", "Jobs that wait for a worker.", lambda: parts.queue.depth)
    gauge(
        "queue_oldest_seconds",
        "Seconds for which the oldest queued job has waited.",
        lambda: parts.queue.oldest_seconds,
    )
    gauge(
        "queue_retries",
        "Reconciliations that failed and were queued for a retry, since the start.",
        lambda: parts.queue.retries,
    )
    gauge("jobs", "IngestJobs in the cache.", lambda: len(parts.store.jobs))
    gauge("pods", "Ingest pods in the cache.", lambda: len(parts.store.pods))
    gauge("leader", "1 on the replica that leads, 0 on the standby.", lambda: parts.leadership.holds)
    gauge(
        "lease_transitions",
        "Changes of the leading replica, as counted in the Lease.",
        lambda: parts.leadership.transitions,
    )


def _has_no_refused_write(record: logging.LogRecord) -> bool:
    return record.exc_info is None or not isinstance(record.exc_info[1], WriteRefused)


class _Login:
    """The login of kopf: a new read-only session on each request, at most once every 5 s."""

    def __init__(self, api_client: ApiClient, read_only: ReadOnly) -> None:
        self._api_client = api_client
        self._read_only = read_only
        self._last_at = float("-inf")

    async def __call__(self) -> kopf.AiohttpSession:
        await asyncio.sleep(max(0.0, self._last_at + LOGIN_EVERY_SECONDS - time.monotonic()))
        self._last_at = time.monotonic()
        session = session_for_kopf(self._api_client, self._read_only, KOPF_CONNECTIONS)
        return kopf.AiohttpSession(server=self._api_client.configuration.host, aiohttp_session=session)
