"""The informer cache, and the resync that repairs it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from sluice_operator import handlers
from sluice_operator.domain.objects import Job, Key
from sluice_operator.informer_cache import ClusterState
from sluice_operator.kind_access import KindAccess
from sluice_operator.object_cache import TOMBSTONE_SECONDS, ObjectCache
from sluice_operator.pause_lists import PauseLists
from sluice_operator.ports import NotFound, Unavailable
from sluice_operator.resync import Resync, ResyncTiming
from support import virtual_time
from support.every_key import EveryKey

from .fakes import FakeCluster
from .pause_fakes import FakePauses
from .world import KEY, SYNTHETIC


class Counted:
    """Implements `resync.Repairs`."""

    def __init__(self) -> None:
        self.repairs: list[tuple[str, int]] = []

    def count_repairs(self, kind: str, count: int) -> None:
        self.repairs.append((kind, count))


class Rig:
    """A cache that watches a cluster until a test cuts the watch."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.added: list[Key] = []
        self.store = ClusterState(EveryKey(self.added.append))
        self.counted = Counted()
        self.pauses = FakePauses(lambda: self.store.pauses)
        lists = PauseLists(self.pauses, self.store.pauses, KindAccess())
        self.resync = Resync(self.cluster, self.store, self.counted, ResyncTiming(asyncio.sleep, lambda: 0.5), lists)
        self.watch()

    def watch(self) -> None:
        """Let the watch deliver events."""
        self.cluster.watcher = lambda plural, change, document: (
            handlers.on_job_event(self.store, change, document)
            if plural == "ingestjobs"
            else handlers.on_pod_event(self.store, change, document)
        )

    def cut(self) -> None:
        """Let the watch silently deliver nothing."""
        self.cluster.watcher = lambda *_: None


@pytest.fixture
def rig() -> Rig:
    """A cache that knows one job."""
    made = Rig()
    made.cluster.declare(KEY, SYNTHETIC)
    made.added.clear()
    return made


async def test_an_older_state_does_not_replace_a_newer_one(rig: Rig) -> None:
    old = dict(rig.cluster.jobs[KEY], metadata=dict(rig.cluster.jobs[KEY]["metadata"]))
    rig.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
    handlers.on_job_event(rig.store, "MODIFIED", old)
    known = rig.store.jobs.get(KEY)
    assert known is not None
    assert known.metadata.generation == 2


async def test_the_late_end_of_an_earlier_object_does_not_remove_its_successor(rig: Rig) -> None:
    old = rig.cluster.jobs.pop(KEY)
    rig.cluster.declare(KEY, SYNTHETIC, uid="job-2")
    handlers.on_job_event(rig.store, "DELETED", old)
    assert rig.store.jobs.get(KEY) is not None


async def test_an_unchanged_object_is_not_a_change(rig: Rig) -> None:
    handlers.on_job_event(rig.store, None, rig.cluster.jobs[KEY])
    assert rig.added == []


async def test_a_pod_whose_name_belongs_to_no_job_changes_no_job(rig: Rig) -> None:
    meta = {"name": "other", "namespace": "acme", "uid": "u", "resourceVersion": "9"}
    handlers.on_pod_event(rig.store, "ADDED", {"metadata": meta})
    assert (rig.added, len(rig.store.pods)) == ([], 0)


async def test_a_resync_removes_objects_that_disappeared_without_an_event(rig: Rig) -> None:
    rig.cut()
    rig.cluster.remove(KEY)
    await rig.resync.relist_and_requeue_all(rig.added.append)
    assert (rig.store.jobs.get(KEY), rig.added[0]) == (None, KEY)
    assert rig.counted.repairs == [("ingestjobs", 1)]


async def test_a_resync_does_not_count_events_that_are_only_late(rig: Rig) -> None:
    rig.cut()
    rig.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
    asyncio.get_running_loop().call_later(
        5, lambda: handlers.on_job_event(rig.store, "MODIFIED", rig.cluster.jobs[KEY])
    )
    await rig.resync.relist_and_requeue_all(rig.added.append)
    assert (rig.counted.repairs, rig.added[0]) == ([], KEY)


async def test_a_change_during_a_list_is_newer_than_the_list(rig: Rig) -> None:
    rig.store.jobs.begin_to_record_changes()
    rig.cluster.remove(KEY)
    listed = {KEY: (await _redeclared_job(rig))}
    rig.store.jobs.replace_all(listed, is_kept=lambda _: False)
    assert rig.store.jobs.get(KEY) is None


async def test_lower_versions_of_a_restored_cluster_are_accepted_from_the_second_list_on(rig: Rig) -> None:
    before = rig.store.jobs.get(KEY)
    rig.cluster.jobs[KEY]["metadata"]["resourceVersion"] = "0"
    await rig.resync.relist_and_requeue_all(rig.added.append)
    assert rig.store.jobs.get(KEY) == before
    await rig.resync.relist_and_requeue_all(rig.added.append)
    known = rig.store.jobs.get(KEY)
    assert known is not None
    assert known.metadata.resource_version == "0"


async def test_a_resync_adds_every_key_and_ensures_every_account(rig: Rig) -> None:
    await rig.resync.relist_and_requeue_all(rig.added.append)
    assert (rig.added, rig.cluster.accounts) == ([KEY], {"acme"})


async def test_the_first_list_is_tried_until_the_definition_is_served_and_the_server_answers(rig: Rig) -> None:
    answers: list[Exception] = [NotFound("no such kind"), Unavailable("refused")]
    listing = rig.cluster.list_jobs

    async def reluctant() -> list[object]:
        if answers:
            raise answers.pop()
        return list(await listing())

    rig.cluster.list_jobs = reluctant  # type: ignore[method-assign,assignment]
    await rig.resync.list_until_complete()
    assert virtual_time.seconds() == 4


async def _redeclared_job(rig: Rig) -> Job:
    rig.cut()
    rig.cluster.declare(KEY, SYNTHETIC)
    return await rig.cluster.read_job(KEY)


def test_of_two_equal_specs_only_one_is_kept(rig: Rig) -> None:
    handlers.on_job_event(rig.store, None, rig.cluster.jobs[KEY])
    first = rig.store.jobs.get(KEY)
    rig.cluster.pod_says(KEY, {"state": "Live"})
    handlers.on_job_event(rig.store, "MODIFIED", rig.cluster.jobs[KEY])
    second = rig.store.jobs.get(KEY)
    assert first is not None
    assert second is not None
    assert second.status != first.status
    assert second.spec is first.spec


async def test_a_late_response_does_not_bring_a_removed_object_back(rig: Rig) -> None:
    late, removals = await rig.cluster.read_job(KEY), rig.store.jobs.removals
    rig.cluster.remove(KEY)
    rig.store.jobs.put_if_newer(KEY, late, removals)
    assert rig.store.jobs.get(KEY) is None


async def test_a_stale_list_does_not_bring_a_removed_object_back(rig: Rig) -> None:
    late = await rig.cluster.read_job(KEY)
    rig.cluster.remove(KEY)
    rig.store.jobs.begin_to_record_changes()
    rig.store.jobs.replace_all({KEY: late}, is_kept=lambda _: False)
    assert rig.store.jobs.get(KEY) is None


async def test_a_read_that_began_after_the_removal_shows_that_the_object_exists(rig: Rig) -> None:
    job = await rig.cluster.read_job(KEY)
    rig.store.jobs.remove_if_same_uid(KEY, job.metadata.uid)
    rig.store.jobs.put_if_newer(KEY, job, rig.store.jobs.removals)
    assert rig.store.jobs.get(KEY) is not None


async def test_an_object_that_one_list_missed_is_accepted_from_the_next(rig: Rig) -> None:
    known = rig.store.jobs.get(KEY)
    assert known is not None
    for listed in ({}, {KEY: known}):
        rig.store.jobs.begin_to_record_changes()
        rig.store.jobs.replace_all(listed, is_kept=lambda _: False)
    assert rig.store.jobs.get(KEY) is not None


async def test_a_removal_is_forgotten_after_ten_minutes(rig: Rig) -> None:
    seconds = [0.0]
    cache: ObjectCache[Job] = ObjectCache(lambda *_: None, lambda _: True, monotonic=lambda: seconds[0])
    job = await rig.cluster.read_job(KEY)
    cache.put_if_newer(KEY, job)
    cache.remove_delivered(KEY, job.metadata.uid, 10**6)
    cache.put_if_newer(KEY, job)
    assert cache.get(KEY) is None
    seconds[0] = TOMBSTONE_SECONDS
    cache.put_if_newer(KEY, job)
    assert cache.get(KEY) is not None


async def test_the_response_to_a_status_write_does_not_add_the_key(rig: Rig) -> None:
    job = await rig.cluster.read_job(KEY)
    status = msgspec.structs.replace(job.status, phase="Pending")
    rig.store.record_status_write(KEY, status)
    rig.store.jobs.put_if_newer(KEY, await rig.cluster.write_operator_status(job, status))
    assert rig.added == []
