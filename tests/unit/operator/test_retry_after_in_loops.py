"""No loop of the operator repeats a request before the time that the API server has named, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from sluice_operator.adapters.events import EventRecorder
from sluice_operator.cluster_uid import read_cluster_uid_or_empty
from sluice_operator.domain.policy_trials import Trial
from sluice_operator.informer_cache import ClusterState
from sluice_operator.kind_access import KindAccess
from sluice_operator.live_reads import LiveReads
from sluice_operator.object_follower import ObjectFollower
from sluice_operator.pause_lists import PauseLists
from sluice_operator.policy_proof import PolicyProof
from sluice_operator.policy_status_writer import PolicyStatusWriter
from sluice_operator.ports import Unavailable, seconds_until_retry
from sluice_operator.resync import Resync, ResyncTiming
from support import virtual_time
from support.every_key import EveryKey

from .behaviour import PODS
from .fakes import FakeCluster
from .test_missing_events import Counts
from .test_object_follower import FakeStore
from .test_pause_status_writer import FLEET
from .test_pause_status_writer import Rig as PauseRig
from .test_policy_status_writer import known
from .test_rim import report
from .world import KEY, NOW, SYNTHETIC

ASKED = 55.0


class Requests:
    """Records the time of each request, and fails it with a Retry-After of 55 s."""

    def __init__(self) -> None:
        self.times: list[float] = []

    async def fail(self, *_: object) -> Any:
        self.times.append(virtual_time.seconds())
        raise Unavailable("busy", ASKED)

    @property
    def shortest_gap(self) -> float:
        """The shortest time between two requests, in seconds."""
        return min(later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False))


def policy_status_loop(requests: Requests) -> Coroutine[Any, Any, object]:
    class Statuses:
        write_policy_status = requests.fail

    return PolicyStatusWriter(Statuses(), known("a"), lambda: NOW, asyncio.sleep).run()


def trial_loop(requests: Requests) -> Coroutine[Any, Any, object]:
    class DryRuns:
        dry_run_creation = requests.fail

    trial = Trial("sluice-operator", "sluice-system")
    return PolicyProof(DryRuns(), (trial,), PODS.image, lambda _: None).run(asyncio.sleep)


def list_loop(requests: Requests) -> Coroutine[Any, Any, object]:
    class Source:
        list_objects = requests.fail

    return ObjectFollower("namespaces", Source(), FakeStore(), asyncio.sleep).run()  # type: ignore[arg-type]


def uid_loop(requests: Requests) -> Coroutine[Any, Any, object]:
    class Cluster:
        read_cluster_uid = requests.fail

    return read_cluster_uid_or_empty(Cluster(), asyncio.sleep)  # type: ignore[arg-type]


def first_list_loop(requests: Requests) -> Coroutine[Any, Any, object]:
    return resync_of(requests).list_until_complete()


def resync_of(requests: Requests) -> Resync:
    rig = PauseRig()
    cluster = FakeCluster()
    cluster.list_jobs = requests.fail  # type: ignore[method-assign]
    store = live_reads_of(Requests())[1]
    lists = PauseLists(rig.store, store.pauses, KindAccess())
    return Resync(cluster, store, Counts(), ResyncTiming(asyncio.sleep, lambda: 0.0), lists)


def live_reads_of(requests: Requests) -> tuple[LiveReads, ClusterState]:
    cluster, store = FakeCluster(), ClusterState(EveryKey())
    cluster.declare(KEY, SYNTHETIC)
    cluster.read_job = requests.fail  # type: ignore[method-assign, assignment]
    return LiveReads(cluster, PauseRig().store, store, Counts(), asyncio.sleep), store


LOOPS: list[Callable[[Requests], Awaitable[object]]] = [
    policy_status_loop,
    trial_loop,
    list_loop,
    uid_loop,
    first_list_loop,
]


@pytest.mark.parametrize("loop", LOOPS)
async def test_a_loop_waits_as_long_as_the_api_server_asks(loop: Callable[[Requests], Awaitable[object]]) -> None:
    requests = Requests()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(300):
            await loop(requests)
    assert len(requests.times) >= 3
    assert requests.shortest_gap >= ASKED


async def test_the_event_recorder_posts_no_event_before_that_time() -> None:
    requests = Requests()

    class Poster:
        create_event = requests.fail

    recorder = EventRecorder(Poster(), lambda: None, virtual_time.seconds)
    for number in range(5):
        recorder.queue_or_drop(report(f"job-{number}"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(200):
            await recorder.run()
    assert requests.shortest_gap >= ASKED


async def test_the_status_of_a_pause_is_not_written_before_that_time_whatever_changes() -> None:
    rig, requests = PauseRig(), Requests()
    rig.store.write_pause_status = requests.fail  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(rig.writer.run(rig.leads))
    rig.store.declare(FLEET, {"until": (NOW + timedelta(seconds=10)).isoformat()})
    for number in range(200):
        rig.assess(FLEET, number % 2 == 0, 0, 1000 if number == 0 else 5)
        await asyncio.sleep(1)
    running.cancel()
    assert len(requests.times) >= 3
    assert requests.shortest_gap >= ASKED


async def test_an_object_is_not_read_live_before_that_time() -> None:
    requests = Requests()
    live_reads, store = live_reads_of(requests)
    cluster = FakeCluster()
    cluster.declare(KEY, SYNTHETIC)
    for job in await cluster.list_jobs():
        store.jobs.put_if_newer(job.key, job)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(300):
            await live_reads.run()
    assert len(requests.times) >= 3
    assert requests.shortest_gap >= ASKED


@pytest.mark.parametrize(("asked", "seconds"), [(None, 2.0), (0.0, 2.0), (1.0, 2.0), (9.0, 9.0)])
def test_the_longer_time_counts(asked: float | None, seconds: float) -> None:
    assert seconds_until_retry(Unavailable("busy", asked), 2.0) == seconds
