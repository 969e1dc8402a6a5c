"""Storms: whatever the API server answers, the operator sends few requests for a job, and recovers afterwards.

Each request of the operator gets each fault for ten minutes, with the real work queue and workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from sluice_contract import conditions as c
from sluice_operator import handlers
from sluice_operator.domain import facts
from sluice_operator.domain.objects import Job, Key, decode_job
from sluice_operator.informer_cache import ClusterState
from sluice_operator.live_reads import LiveReads
from sluice_operator.reconcile import Reconciler, ReconcilerClocks
from sluice_operator.workers import Workers
from sluice_operator.workqueue import WorkQueue
from support import virtual_time
from unit.operator.fakes import Document, FakeCluster, FakeRecorder
from unit.operator.pause_fakes import FakePauses
from unit.operator.world import KEY, PODS, RUNNING, SYNTHETIC, condition, said

from .faulty_cluster import FAULTS, REQUESTS, RETRY_AFTER_SECONDS, WEBHOOK, FaultName, FaultyCluster, Request

FAULT_SECONDS = 600.0
MOST_OF_A_REQUEST = 12  # a minute, verb, resource and key
# A minute and key: of the request with the fault, of all while the backoff is still short, and of all later.
MOST_REQUESTS = (MOST_OF_A_REQUEST, 70, 24)
RECOVERY_SECONDS = 75.0  # the longest backoff, and what follows
COLD = SYNTHETIC | {"synthetic": {"seed": 7}}


class Counts:
    """Implements the metrics of the workers and of the live reads, and ignores them."""

    def record_reconciliation(self, seconds: float, outcome: str) -> None: ...

    def set_undelivered_objects(self, kind: str, count: int) -> None: ...

    def count_live_reads(self, kind: str, count: int) -> None: ...


class Rig:
    """A cluster with faults, and an operator with its real queue, workers and live reads."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.cluster.bound = True
        self.faulty = FaultyCluster(self.cluster)
        self.queue: WorkQueue[Key] = WorkQueue(virtual_time.seconds, jitter=lambda: 1.0)  # the shortest delays
        self.store = ClusterState(self.queue)
        self.cluster.watcher = self._watch
        clocks = ReconcilerClocks(virtual_time.now, virtual_time.seconds, virtual_time.seconds)
        reconciler = Reconciler(self.faulty, self.store, FakeRecorder(), clocks, PODS)
        gate = asyncio.Event()
        gate.set()
        self.workers = Workers(self.queue, reconciler.reconcile, gate, Counts(), reconciler.seconds_to_stop_deadline)
        pauses = FakePauses(lambda: self.store.pauses)
        self.live_reads = LiveReads(self.faulty, pauses, self.store, Counts(), asyncio.sleep)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """Run the operator."""
        tasks = [asyncio.create_task(self.workers.run(2)), asyncio.create_task(self.live_reads.run())]
        try:
            yield self
        finally:
            self.queue.shut_down(2)
            await tasks[0]
            tasks[1].cancel()

    async def stream(self, seconds: float) -> None:
        """Let the kubelet remove what terminates, and the pod run and report, for some seconds."""
        for _ in range(int(seconds)):
            await asyncio.sleep(1)
            pod = self.cluster.pods.get((KEY[0], "us-equities-ingest"))
            if pod is not None and "deletionTimestamp" in pod["metadata"]:
                self.cluster.finish(KEY)
            elif pod is not None and pod["status"]["phase"] != "Running":
                self.cluster.pod_is(KEY, **RUNNING)
            elif pod is not None and KEY in self.cluster.jobs and int(virtual_time.seconds()) % 30 == 0:
                generation = self.cluster.jobs[KEY]["metadata"]["generation"]
                self.cluster.pod_says(KEY, said(pod["metadata"]["uid"], generation, virtual_time.now()))

    async def relist(self) -> None:
        """Correct the cache of jobs by a LIST, as each resync does."""
        self.store.jobs.begin_to_record_changes()
        self.store.jobs.replace_all({job.key: job for job in await self.cluster.list_jobs()}, lambda _: False)

    @property
    def ready(self) -> tuple[str, str]:
        """Status and reason of condition Ready in the cluster."""
        return condition(self.stored_job.status, c.READY)

    @property
    def stored_job(self) -> Job:
        """The job in the cluster."""
        return decode_job(self.cluster.jobs[KEY])

    def _watch(self, plural: str, change: str, document: Document) -> None:
        take = handlers.on_job_event if plural == "ingestjobs" else handlers.on_pod_event
        take(self.store, change, document)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_", REQUESTS, ids="-".join)
async def test_a_fault_of_ten_minutes_causes_no_storm_and_is_survived(request_: Request, fault: FaultName) -> None:
    plan = f"{request_} answers {fault}"
    async with Rig().running() as rig:
        if request_ not in (("POST", "pods"), ("PATCH", "serviceaccounts"), ("GET", "namespaces")):
            rig.cluster.declare(KEY, SYNTHETIC)
            await rig.stream(65)
            assert rig.ready == ("True", c.STREAMING_REASON), plan
        rig.faulty.faults[request_] = fault
        started = virtual_time.seconds()
        rig.cluster.declare(KEY, COLD)
        await rig.stream(FAULT_SECONDS)
        counts = rig.faulty.most_in_a_minute
        most = counts(started, *request_), counts(started), counts(started + 120)
        assert all(count <= bound for count, bound in zip(most, MOST_REQUESTS, strict=True)), f"{plan}: {most}"
        rig.faulty.faults.clear()
        await rig.relist()
        await rig.stream(RECOVERY_SECONDS + 35)
        assert rig.ready == ("True", c.STREAMING_REASON), plan
        assert rig.stored_job.status.epoch == facts.pod_epoch(await rig.cluster.read_pod(KEY)), plan


@pytest.mark.parametrize("fault", ["429", "500", "webhook", "409"])
async def test_a_stop_during_a_backoff_acts_at_once(fault: FaultName) -> None:
    async with Rig().running() as rig:
        rig.faulty.faults["POST", "pods"] = fault
        rig.cluster.declare(KEY, SYNTHETIC)
        await asyncio.sleep(300)
        rig.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
        await virtual_time.settle()
        assert condition(rig.stored_job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


@pytest.mark.parametrize("fault", ["403", "429", "500", "lost"])
async def test_a_stop_that_the_pod_ignores_is_enforced_though_no_status_can_be_written(fault: FaultName) -> None:
    async with Rig().running() as rig:
        rig.cluster.declare(KEY, SYNTHETIC)
        await rig.stream(65)
        rig.faulty.faults["PATCH", "ingestjobs/status"] = fault
        rig.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
        await asyncio.sleep(15)
        assert "deletionTimestamp" in rig.cluster.pods[KEY[0], "us-equities-ingest"]["metadata"]


async def test_a_webhook_that_is_down_is_named_in_the_status() -> None:
    async with Rig().running() as rig:
        rig.faulty.faults["POST", "pods"] = "webhook"
        rig.cluster.declare(KEY, SYNTHETIC)
        await asyncio.sleep(60)
        assert WEBHOOK in rig.stored_job.status.conditions[0].message
        assert rig.stored_job.status.epoch is None
        assert rig.faulty.most_in_a_minute(0.0, "PATCH", "ingestjobs/status") <= 2


async def test_a_retry_waits_as_long_as_the_api_server_asks() -> None:
    async with Rig().running() as rig:
        rig.faulty.faults["POST", "pods"] = "429"
        rig.cluster.declare(KEY, SYNTHETIC)
        await asyncio.sleep(30)
        posts = [each.at for each in rig.faulty.sent if each.verb == "POST"]
        assert min(second - first for first, second in pairwise(posts)) >= RETRY_AFTER_SECONDS


async def test_a_foreign_running_pod_causes_few_reads() -> None:
    async with Rig().running() as rig:
        foreign: Document = {"name": "us-equities-ingest", "namespace": "acme", "uid": "theirs"}
        rig.cluster.pods["acme", "us-equities-ingest"] = {"metadata": foreign, "spec": {}, "status": RUNNING}
        rig.cluster.change("pods", rig.cluster.pods["acme", "us-equities-ingest"], change="ADDED")
        rig.cluster.declare(KEY, SYNTHETIC)
        await asyncio.sleep(600)
        assert rig.faulty.most_in_a_minute(0.0, "GET", "pods") <= MOST_OF_A_REQUEST


async def test_a_client_that_deletes_each_pod_at_once_causes_few_requests() -> None:
    async with Rig().running() as rig:
        rig.cluster.declare(KEY, SYNTHETIC)
        for _ in range(int(FAULT_SECONDS) * 2):
            await asyncio.sleep(0.5)
            if (KEY[0], "us-equities-ingest") in rig.cluster.pods:
                rig.cluster.finish(KEY)
        assert rig.faulty.most_in_a_minute(0.0, "POST", "pods") <= 4
        assert rig.faulty.most_in_a_minute(120.0, "POST", "pods") <= 1
        assert rig.faulty.most_in_a_minute() <= MOST_REQUESTS[2]
        assert rig.ready == ("False", c.POD_DELETED)


async def test_a_job_is_created_and_streams_with_four_status_writes() -> None:
    async with Rig().running() as rig:
        rig.cluster.declare(KEY, SYNTHETIC)
        await asyncio.sleep(1.0)
        rig.cluster.pod_is(KEY, phase="Pending", conditions=[{"type": "PodScheduled", "status": "True"}])
        await asyncio.sleep(0.5)
        rig.cluster.pod_is(KEY, **RUNNING)
        uid = rig.cluster.pods[KEY[0], "us-equities-ingest"]["metadata"]["uid"]
        for state in ("Connecting", "Authenticating", "Subscribing", "Live"):
            await asyncio.sleep(0.3)
            rig.cluster.pod_says(KEY, said(uid, 1, virtual_time.now()) | {"state": state})
        await asyncio.sleep(30)
        assert rig.ready == ("True", c.STREAMING_REASON)
        assert rig.cluster.writes.count("status") <= 4


async def test_a_pod_is_replaced_with_one_status_write_until_it_is_gone() -> None:
    async with Rig().running() as rig:
        rig.cluster.declare(KEY, SYNTHETIC)
        await rig.stream(65)
        rig.cluster.writes.clear()
        rig.cluster.declare(KEY, COLD)
        await asyncio.sleep(5)
        assert rig.cluster.writes == ["status", "delete"]
        rig.cluster.finish(KEY)
        await asyncio.sleep(5)
        assert rig.cluster.writes[2:] == ["create", "status"]
