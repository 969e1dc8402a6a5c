"""Missing events: of single objects, which are read live, and of a whole kind, which needs a new process."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sluice_contract import identity
from sluice_operator import handlers
from sluice_operator.domain import workload
from sluice_operator.domain.objects import Key
from sluice_operator.informer_cache import ClusterState
from sluice_operator.kind_access import KindAccess
from sluice_operator.live_reads import MOST_READS, LiveReads
from sluice_operator.pause_lists import PauseLists
from sluice_operator.ports import Unavailable
from sluice_operator.resync import Resync, ResyncTiming, WatchBroken
from support.every_key import EveryKey

from .fakes import Document, FakeCluster
from .pause_fakes import FakePauses
from .world import KEY, PODS, SYNTHETIC, job_of

OTHER: Key = ("acme", "fx")


class Counts:
    """Implements `live_reads.DeliveryMetrics` and `resync.Repairs`."""

    def __init__(self) -> None:
        self.undelivered: dict[str, int] = {}
        self.live_reads: dict[str, int] = {}

    def set_undelivered_objects(self, kind: str, count: int) -> None:
        self.undelivered[kind] = count

    def count_live_reads(self, kind: str, count: int) -> None:
        self.live_reads[kind] = self.live_reads.get(kind, 0) + count

    def count_repairs(self, kind: str, count: int) -> None:
        """Ignore the repair, which these tests do not check."""


class Rig:
    """A cache that watches a cluster; the events of the objects in `dropped` never arrive."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.cluster.watcher = self._watch
        self.dropped: set[Key] = set()  # namespace and name of jobs and pods
        self.store = ClusterState(EveryKey())
        self.counts = Counts()
        self.pauses = FakePauses(lambda: self.store.pauses)
        self.live_reads = LiveReads(self.cluster, self.pauses, self.store, self.counts, asyncio.sleep)
        lists = PauseLists(self.pauses, self.store.pauses, KindAccess())
        self.resync = Resync(self.cluster, self.store, self.counts, ResyncTiming(asyncio.sleep, lambda: 0.5), lists)

    async def relist_and_requeue_all(self) -> None:
        """Run one resync."""
        await self.resync.relist_and_requeue_all(lambda _: None)

    async def read_twice(self) -> None:
        """Run two rounds: what is undelivered in both is overdue."""
        await self.live_reads.refresh_overdue_objects()
        await self.live_reads.refresh_overdue_objects()

    def pause(self, key: Key, enabled: bool = False) -> None:
        """Change a job."""
        self.cluster.declare(key, SYNTHETIC | {"enabled": enabled})

    def is_enabled(self, key: Key) -> bool:
        """Return whether the job is enabled in the cache."""
        job = self.store.jobs.get(key)
        assert job is not None
        assert job.spec is not None
        return job.spec.enabled

    def _watch(self, plural: str, change: str, document: Document) -> None:
        if (document["metadata"]["namespace"], document["metadata"]["name"]) not in self.dropped:
            take = handlers.on_job_event if plural == identity.PLURAL else handlers.on_pod_event
            take(self.store, change, document)


@pytest.fixture
async def rig() -> Rig:
    """A cache that knows two jobs; the events of the first are missing from now on."""
    made = Rig()
    made.cluster.declare(KEY, SYNTHETIC)
    made.cluster.declare(OTHER, SYNTHETIC, uid="job-2")
    await made.relist_and_requeue_all()
    made.dropped = {KEY}
    return made


async def test_one_object_without_events_never_ends_the_process(rig: Rig) -> None:
    for enabled in (False, True, False, True):
        rig.pause(KEY, enabled)
        rig.pause(OTHER, enabled)
        await rig.relist_and_requeue_all()
    assert rig.is_enabled(KEY)


async def test_a_watch_that_delivers_nothing_while_objects_change_is_broken(rig: Rig) -> None:
    rig.dropped = {KEY, OTHER}
    rig.pause(KEY)
    await rig.relist_and_requeue_all()
    rig.pause(OTHER)
    with pytest.raises(WatchBroken, match="watch of ingestjobs"):
        await rig.relist_and_requeue_all()


async def test_a_watch_is_broken_though_live_reads_keep_the_store_current(rig: Rig) -> None:
    rig.dropped = {KEY, OTHER}
    for enabled in (False, True):
        rig.pause(KEY, enabled)
        await rig.read_twice()
        rig.store.jobs.put_if_newer(KEY, await rig.cluster.read_job(KEY))
        if not enabled:
            await rig.relist_and_requeue_all()
    with pytest.raises(WatchBroken):
        await rig.relist_and_requeue_all()


async def test_undelivered_removals_count_as_changes(rig: Rig) -> None:
    rig.dropped = {KEY, OTHER}
    rig.cluster.remove(KEY)
    await rig.relist_and_requeue_all()
    rig.cluster.remove(OTHER)
    with pytest.raises(WatchBroken):
        await rig.relist_and_requeue_all()


async def test_a_silent_watch_without_changes_is_not_broken(rig: Rig) -> None:
    rig.dropped = {KEY, OTHER}
    rig.pause(KEY)
    for _ in range(4):
        await rig.relist_and_requeue_all()


async def test_a_delivery_between_two_resyncs_clears_the_suspicion(rig: Rig) -> None:
    for enabled in (False, True, False):
        rig.dropped = {KEY, OTHER}
        rig.pause(KEY, enabled)
        await rig.relist_and_requeue_all()
        rig.dropped = {KEY}
        rig.pause(OTHER, enabled)


async def test_the_two_kinds_are_examined_separately(rig: Rig) -> None:
    manifest = workload.pod_manifest(job_of(SYNTHETIC), 1, "hash", PODS)
    rig.dropped = {("acme", manifest["metadata"]["name"])}
    rig.cluster.accounts.add("acme")
    await rig.cluster.create_pod(manifest)
    await rig.relist_and_requeue_all()
    rig.pause(OTHER)
    rig.cluster.pod_is(KEY, phase="Running")
    with pytest.raises(WatchBroken, match="watch of pods"):
        await rig.relist_and_requeue_all()


async def test_after_a_silent_watch_the_next_resync_comes_soon(rig: Rig) -> None:
    rig.dropped = {KEY, OTHER}
    rig.pause(KEY)
    loop = asyncio.get_running_loop()
    loop.call_later(30, lambda: rig.pause(OTHER))
    started = loop.time()
    with pytest.raises(WatchBroken):
        await rig.resync.run(lambda _: None)
    assert loop.time() - started == pytest.approx(15 + 10 + 60 + 10)


async def test_an_object_without_events_is_read_every_10_s_until_the_watch_delivers_it(rig: Rig) -> None:
    rig.pause(KEY)
    await rig.relist_and_requeue_all()
    reading = asyncio.create_task(rig.live_reads.run())
    await asyncio.sleep(25)
    rig.pause(KEY, enabled=True)
    await asyncio.sleep(10)
    assert rig.is_enabled(KEY)
    assert (rig.counts.undelivered["ingestjobs"], rig.counts.live_reads["ingestjobs"]) == (1, 2)
    rig.dropped = set()
    rig.pause(KEY)
    await asyncio.sleep(30)
    reading.cancel()
    assert (rig.counts.undelivered["ingestjobs"], rig.counts.live_reads["ingestjobs"]) == (0, 2)


async def test_an_answer_to_a_write_shows_that_events_are_missing(rig: Rig) -> None:
    rig.cluster.pod_says(KEY, {"observedGeneration": 1})
    rig.store.jobs.put_if_newer(KEY, await rig.cluster.read_job(KEY))
    await rig.read_twice()
    assert rig.counts.live_reads == {"ingestjobs": 1}


async def test_a_state_that_the_watch_delivers_late_is_not_read(rig: Rig) -> None:
    rig.cluster.pod_says(KEY, {"observedGeneration": 1})
    rig.store.jobs.put_if_newer(KEY, await rig.cluster.read_job(KEY))
    await rig.live_reads.refresh_overdue_objects()
    handlers.on_job_event(rig.store, "MODIFIED", rig.cluster.jobs[KEY])
    await rig.live_reads.refresh_overdue_objects()
    assert rig.counts.live_reads == {}


async def test_a_live_read_removes_an_object_that_is_gone(rig: Rig) -> None:
    rig.pause(KEY)
    await rig.relist_and_requeue_all()
    rig.cluster.remove(KEY)
    await rig.read_twice()
    assert rig.store.jobs.get(KEY) is None
    assert KEY not in rig.store.jobs.streamed
    await rig.live_reads.refresh_overdue_objects()
    assert rig.counts.undelivered["ingestjobs"] == 0


async def test_missing_and_recovered_objects_are_logged_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sluice_operator.live_reads")
    rig.pause(KEY)
    await rig.relist_and_requeue_all()
    await rig.read_twice()
    await rig.read_twice()
    rig.dropped = set()
    rig.pause(KEY, enabled=True)
    await rig.read_twice()
    expected = ["the watch does not deliver objects; reading them live", "objects are no longer read live"]
    logged = [record.message for record in caplog.records if record.name == "sluice_operator.live_reads"]
    assert logged == expected


async def test_an_unresponsive_api_server_is_logged_and_asked_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Key) -> None:
        raise Unavailable("no answer")

    rig.pause(KEY)
    await rig.relist_and_requeue_all()
    monkeypatch.setattr(rig.cluster, "read_job", fail)
    reads = LiveReads(rig.cluster, rig.pauses, rig.store, rig.counts, asyncio.sleep)
    for _ in range(3):
        await reads.refresh_overdue_objects()
    assert [record.message for record in caplog.records].count("live reads failed; retrying") == 2


async def test_a_round_reads_100_objects_at_most_and_the_next_one_the_others(rig: Rig) -> None:
    keys = {("acme", f"job-{number:03}") for number in range(MOST_READS + 50)}
    rig.dropped = keys
    for number, key in enumerate(sorted(keys)):
        rig.cluster.declare(key, SYNTHETIC, uid=f"many-{number}")
    await rig.relist_and_requeue_all()
    await rig.read_twice()
    for key in keys:
        rig.pause(key)
    await rig.live_reads.refresh_overdue_objects()
    assert rig.counts.live_reads["ingestjobs"] == 2 * MOST_READS
    assert sum(not rig.is_enabled(key) for key in keys) == MOST_READS
    await rig.live_reads.refresh_overdue_objects()
    assert not any(rig.is_enabled(key) for key in keys)


async def test_a_foreign_pod_without_the_operators_label_is_not_missed(rig: Rig) -> None:
    rig.cluster.pods["acme", "us-equities-ingest"] = foreign = {
        "metadata": {"namespace": "acme", "name": "us-equities-ingest", "uid": "foreign", "resourceVersion": "999"}
    }
    rig.store.put_ingest_pod(await rig.cluster.read_pod(KEY))
    await rig.read_twice()
    assert rig.store.pods.get(KEY) is not None, foreign
    assert rig.counts.live_reads == {}
