"""The wiring: which part is given to which, in which order they start, and in which they stop."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import kopf
import msgspec
from kubernetes.aio.client.api_client import ApiClient

from .adapters.access import session
from .adapters.api import Api
from .adapters.events import EventRecorder
from .adapters.http_api import Health, served
from .adapters.kubernetes import KubernetesCluster
from .domain.objects import Key
from .handlers import kopf_settings, registry
from .metrics import Metrics
from .reconcile import Clocks, Reconciler
from .resync import Resync, Timing
from .settings import Settings
from .store import Store
from .watchdog import Pulse, watch_watchers
from .workers import Workers
from .workqueue import WorkQueue

log = logging.getLogger(__name__)

LOGIN_EVERY_SECONDS = 5.0  # a token that is refused for long must not become a loop of logins
KOPF_CONNECTIONS = 100
STOP_SECONDS = 10.0


class Parts(msgspec.Struct, frozen=True):
    """Everything that runs."""

    settings: Settings
    way: ApiClient
    metrics: Metrics
    store: Store
    queue: WorkQueue[Key]
    recorder: EventRecorder
    resync: Resync
    workers: Workers
    pulse: Pulse
    gate: asyncio.Event  # open: writes are allowed


@asynccontextmanager
async def assembled(settings: Settings, way: ApiClient) -> AsyncIterator[Parts]:
    """All parts, wired and not yet started; the session to the API server is open meanwhile."""
    metrics, queue, gate = Metrics(), WorkQueue[Key](time.monotonic), asyncio.Event()
    store = Store(queue.add)
    async with way:
        cluster = KubernetesCluster(Api(way), settings.namespaces)
        recorder = EventRecorder(cluster, metrics.dropped, time.monotonic)
        clocks = Clocks(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
        reconciler = Reconciler(cluster, store, recorder, clocks, settings.pods)
        yield Parts(
            settings=settings,
            way=way,
            metrics=metrics,
            store=store,
            queue=queue,
            recorder=recorder,
            resync=Resync(cluster, store, metrics, Timing(asyncio.sleep, random.random)),
            workers=Workers(queue, reconciler.reconcile, gate, metrics),
            pulse=Pulse(time.monotonic, metrics.loop_lag.set),
            gate=gate,
        )


async def run(settings: Settings, way: ApiClient) -> None:
    """Runs until a signal comes. Raises an ExceptionGroup with `Blind` where only a new process helps."""
    async with assembled(settings, way) as parts:
        _expose(parts)
        health = Health(alive=parts.pulse.is_steady, ready=parts.gate.is_set, metrics=parts.metrics.page)
        async with served(health, settings.host, settings.port):
            log.info(
                "started",
                extra={"server": way.configuration.host, "image": settings.image, "workers": settings.workers},
            )
            await _run_parts(parts)
    log.info("stopped")


async def _run_parts(parts: Parts) -> None:
    async with asyncio.TaskGroup() as group:
        # All before kopf: when kopf stops, it cancels whatever was started after it.
        endless = [
            group.create_task(parts.pulse.run(), name="pulse"),
            group.create_task(parts.recorder.run(), name="recorder"),
            group.create_task(_watch_entropy(parts), name="resync"),
            group.create_task(_watch_watchers(parts), name="watchdog"),
        ]
        workers = group.create_task(parts.workers.run(parts.settings.workers), name="workers")
        if await _listed(parts):
            await _reflect(parts)
        parts.queue.shut_down(parts.settings.workers)
        parts.gate.set()  # nobody waits there for ever
        _, late = await asyncio.wait([workers], timeout=STOP_SECONDS)
        for task in (*endless, *late):
            task.cancel()


async def _listed(parts: Parts) -> bool:
    """The first LIST, unless a signal comes first. Opens the gate."""
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
    parts.gate.set()
    return True


async def _reflect(parts: Parts) -> None:
    """kopf's watches, until a signal comes: kopf takes over its handling."""
    await kopf.operator(
        registry=registry(parts.store, _Login(parts.way)),
        settings=kopf_settings(),
        clusterwide=not parts.settings.namespaces,
        namespaces=parts.settings.namespaces,
        standalone=True,
    )


async def _watch_entropy(parts: Parts) -> None:
    await parts.gate.wait()
    await parts.resync.run(parts.queue.add)


async def _watch_watchers(parts: Parts) -> None:
    await parts.gate.wait()
    await watch_watchers(lambda: [task.get_name() for task in asyncio.all_tasks()])


def _expose(parts: Parts) -> None:
    gauge = parts.metrics.gauge
    gauge("queue_depth", "Jobs that wait for a worker.", lambda: parts.queue.depth)
    gauge("queue_oldest_seconds", "How long the job that waits longest has waited.", lambda: parts.queue.oldest_seconds)
    gauge("queue_retries", "Passes that failed and were put off, since the start.", lambda: parts.queue.retries)
    gauge("jobs", "Jobs that are known.", lambda: len(parts.store.jobs))
    gauge("pods", "Pods that are known.", lambda: len(parts.store.pods))


class _Login:
    """Gives kopf a session of its own whenever it asks, but not more often than every 5 s."""

    def __init__(self, way: ApiClient) -> None:
        self._way = way
        self._last_at = float("-inf")

    async def __call__(self) -> kopf.AiohttpSession:
        await asyncio.sleep(max(0.0, self._last_at + LOGIN_EVERY_SECONDS - time.monotonic()))
        self._last_at = time.monotonic()
        return kopf.AiohttpSession(
            server=self._way.configuration.host, aiohttp_session=session(self._way, KOPF_CONNECTIONS)
        )
