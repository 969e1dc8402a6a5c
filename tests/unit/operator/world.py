"""The core of the operator with a fake cluster, and with clocks that tests advance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_contract.status import Condition, IngestJobStatus
from sluice_operator import handlers
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job, Key, Pod
from sluice_operator.domain.pause_objects import PauseKey
from sluice_operator.domain.workload import PodSettings
from sluice_operator.informer_cache import ClusterState
from sluice_operator.ports import Cluster
from sluice_operator.reconcile import Reconciler, ReconcilerClocks
from support.every_key import EveryKey

from .fakes import Document, FakeCluster, FakeRecorder
from .pause_fakes import FakePauses

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
KEY: Key = ("acme", "us-equities")
SYNTHETIC: Document = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY", "AAPL"]}
PODS = PodSettings(image="sluice-runtime:0.1.0", project_id="demo-sluice")
RUNNING: Document = {
    "phase": "Running",
    "containerStatuses": [{"name": "ingest", "state": {"running": {"startedAt": "2026-03-02T15:00:00Z"}}}],
}


class World:
    """A cluster, and an operator that can be killed and restarted."""

    pod_settings = PODS
    most_passes = 50  # of reconciliations, before no job is due; more count as an endless loop

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.recorder = FakeRecorder()
        self.seconds = 0.0  # since the start
        self.away = 0.0  # the seconds of these in which the API server did not answer
        self.due: dict[Key, float] = {}
        self.passes = 0
        self.watching = True
        self.pauses = FakePauses(lambda: self.store.pauses)
        self.start()

    def start(self) -> None:
        """Start a new operator process, which first lists all objects."""
        self.dirty: set[Key] = set()
        self.changed_pauses: set[PauseKey] = set()
        self.store = ClusterState(EveryKey(self.dirty.add), pause_changed=self.changed_pauses.add)
        clocks = ReconcilerClocks(
            now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: 1000 + self.seconds,
            reachable=lambda: 1000 + self.seconds - self.away,
        )
        self.reconciler = Reconciler(self.cluster_of_operator(), self.store, self.recorder, clocks, self.pod_settings)
        self.cluster.watcher = self._watch
        self.pauses.deliver_all()
        for document in self.cluster.jobs.values():
            handlers.on_job_event(self.store, None, document)
        for document in self.cluster.pods.values():
            handlers.on_pod_event(self.store, None, document)

    def cluster_of_operator(self) -> Cluster:
        """Return the cluster as the operator reaches it."""
        return self.cluster

    async def settle(self) -> None:
        """Reconcile until no job is due now."""
        for _ in range(self.most_passes):
            if not self.dirty:
                return
            key = self.dirty.pop()
            self.passes += 1
            result = await self.reconciler.reconcile(key)
            if result.requeue:
                self.dirty.add(key)
            if result.requeue_after is not None:
                self.due[key] = self.seconds + result.requeue_after
        raise AssertionError(f"never settles: {self.cluster.writes[-6:]}")

    async def advance(self, seconds: float) -> None:
        """Advance the time; all deadlines on the way are processed."""
        end = self.seconds + seconds
        while self.due and min(self.due.values()) <= end:
            key = min(self.due, key=lambda each: self.due[each])
            self.seconds = max(self.seconds, self.due.pop(key))
            self.dirty.add(key)
            await self.settle()
        self.seconds = end

    async def streams(self, **stream: Any) -> None:
        """Let the job's pod run and report."""
        self.cluster.pod_is(KEY, **RUNNING)
        self.cluster.pod_says(KEY, self.said(**stream))
        await self.settle()

    def said(self, **stream: Any) -> Document:
        """Return the report that the current pod would send now."""
        return said(self.pod.metadata.uid, self.job.metadata.generation, NOW + timedelta(seconds=self.seconds)) | stream

    @property
    def job(self) -> Job:
        """Return the job from the cluster."""
        return objects.decode_job(self.cluster.jobs[KEY])

    @property
    def pod(self) -> Pod:
        """Return the job's pod from the cluster."""
        return objects.decode_pod(self.cluster.pods[KEY[0], KEY[1] + "-ingest"])

    @property
    def ready(self) -> tuple[str, str]:
        """Return status and reason of condition Ready."""
        return condition(self.job.status, "Ready")

    def _watch(self, plural: str, change: str, document: Document) -> None:
        if self.watching:
            take = handlers.on_job_event if plural == "ingestjobs" else handlers.on_pod_event
            take(self.store, change, document)


async def declared(world: World, spec: dict[str, object] | None = None) -> World:
    """Declare a job and let the operator create its pod."""
    world.cluster.declare(KEY, spec or SYNTHETIC)
    await world.settle()
    return world


async def live(world: World) -> World:
    """Declare a job whose pod runs on a node and streams."""
    world.cluster.bound = True
    await declared(world)
    await world.streams()
    return world


def said(pod_uid: str, generation: int, at: datetime = NOW) -> Document:
    """Return the report of a pod that streams two symbols."""
    return {
        "observedGeneration": generation,
        "podUID": pod_uid,
        "state": "Live",
        "heartbeat": {"at": at.isoformat(), "status": "running", "dryRun": False, "epoch": 1, "sessionID": "s"},
        "ingestEnabled": True,
        "symbols": {"live": "2/2", "desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0},
        "sink": {"healthy": True, "lastWriteAt": at.isoformat()},
        "effectiveIntervalMilliseconds": 1000,
    }


def pause(source: str = "spec.enabled", acknowledged: bool = True) -> Document:
    """Return a pod's report of a pause."""
    return {
        "state": "Paused",
        "ingestEnabled": False,
        "ingestEnabledSource": source,
        "pause": {"source": source} | ({"acknowledgedAt": NOW.isoformat()} if acknowledged else {}),
    }


def job_of(spec: Document, name: str = KEY[1]) -> Job:
    """Return a job that no operator has processed yet."""
    metadata = {"namespace": KEY[0], "name": name, "uid": "job-1", "generation": 1}
    return objects.decode_job({"metadata": metadata, "spec": spec})


def found(status: IngestJobStatus, kind: str) -> Condition | None:
    """Return a condition, or None if it is absent."""
    return next((each for each in status.conditions if each.type == kind), None)


def condition(status: IngestJobStatus, kind: str) -> tuple[str, str]:
    """Return status and reason of a condition, both empty if it is absent."""
    it = found(status, kind)
    return (it.status, it.reason) if it is not None else ("", "")
