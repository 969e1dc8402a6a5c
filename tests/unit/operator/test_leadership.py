"""Two replicas and one Lease, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sluice_operator.domain.election import LeaseRecord, LeaseTimings
from sluice_operator.leadership import ElectionClocks, Leadership
from sluice_operator.parts import holder_name
from sluice_operator.settings import settings_from_environment
from support import virtual_time

from .fakes import FakeLeases
from .world import NOW


class Left(Exception):  # noqa: N818  what the process has done
    """Raised where a replica ends its process."""


def replica(leases: FakeLeases, name: str) -> Leadership:
    """Return a replica that takes part in the election."""

    def leave() -> None:
        raise Left(name)

    timing = ElectionClocks(lambda: NOW + timedelta(seconds=virtual_time.seconds()), virtual_time.seconds, leave)
    return Leadership(leases.seen_by(name), name, LeaseTimings(), timing)


@asynccontextmanager
async def running(each: Leadership) -> AsyncIterator[asyncio.Task[None]]:
    """Run the replica's process. It raises `Left` when it ends itself."""

    async def process() -> None:
        await asyncio.gather(each.run(), each.exit_when_lease_expires())

    task = asyncio.create_task(process())
    try:
        await asyncio.sleep(0.1)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_leads_and_renews_and_the_other_stands_by() -> None:
    leases = FakeLeases()
    first, second = replica(leases, "first"), replica(leases, "second")
    async with running(first), running(second):
        await asyncio.sleep(60)
        assert (first.is_leading, second.is_leading) == (True, False)
        assert leases.writes == 31
        assert first.write_seconds_left() == pytest.approx(10, abs=2)


async def test_the_lease_of_a_dead_leader_is_taken_when_it_has_expired() -> None:
    leases = FakeLeases()
    second = replica(leases, "second")
    async with running(replica(leases, "first")):
        await asyncio.sleep(1)
    died_at = virtual_time.seconds()
    async with running(second):
        await second.wait()
        assert 15 <= virtual_time.seconds() - died_at <= 18
        assert second.holder_changes == 1


async def test_a_released_lease_is_taken_at_the_next_read() -> None:
    leases = FakeLeases()
    first, second = replica(leases, "first"), replica(leases, "second")
    async with running(first):
        await asyncio.sleep(1)
    await first.release_lease_if_leading()
    assert not first.is_leading
    released_at = virtual_time.seconds()
    async with running(second):
        await second.wait()
    assert virtual_time.seconds() - released_at <= 2


async def test_only_a_leader_releases_the_lease() -> None:
    leases = FakeLeases()
    second = replica(leases, "second")
    async with running(replica(leases, "first")), running(second):
        await second.release_lease_if_leading()
        assert leases.record is not None
        assert leases.record.holder == "first"


async def test_a_leader_that_cannot_renew_writes_nothing_after_the_deadline_and_exits() -> None:
    leases = FakeLeases()
    first = replica(leases, "first")
    async with running(first) as process:
        leases.away.add("first")
        cut_at = virtual_time.seconds()
        with pytest.raises(Left):
            await process
        assert not first.is_leading
        assert 8 <= virtual_time.seconds() - cut_at <= 10.5


async def test_the_deadline_passes_before_another_replica_can_lead() -> None:
    leases = FakeLeases()
    first, second = replica(leases, "first"), replica(leases, "second")
    async with running(first) as process, running(second):
        leases.away.add("first")
        with pytest.raises(Left):
            await process
        ended_at = virtual_time.seconds()
        await second.wait()
        assert virtual_time.seconds() - ended_at >= 4


async def test_a_leader_that_has_lost_its_lease_exits_at_once() -> None:
    leases = FakeLeases()
    async with running(replica(leases, "first")) as process:
        leases.record = LeaseRecord("thief", 15, resource_version="stolen")
        stolen_at = virtual_time.seconds()
        with pytest.raises(Left):
            await process
        assert virtual_time.seconds() - stolen_at <= 2


async def test_a_deleted_lease_stays_with_its_leader() -> None:
    leases = FakeLeases()
    first, second = replica(leases, "first"), replica(leases, "second")
    async with running(first), running(second):
        await asyncio.sleep(5)
        leases.record, leases.writes = None, 100
        await asyncio.sleep(30)
        assert (first.is_leading, second.is_leading) == (True, False)


async def test_time_without_an_answer_of_the_api_server_does_not_count() -> None:
    leases = FakeLeases()
    first = replica(leases, "first")
    async with running(first):
        await asyncio.sleep(4)
        before = first.reachable_clock.seconds()
        leases.away.add("first")
        await asyncio.sleep(6)
        leases.away.clear()
        await asyncio.sleep(4)
        assert first.reachable_clock.seconds() - before == pytest.approx(10 - 6, abs=2)


@pytest.mark.parametrize("before", [0.0, 2.5, 5.0])
async def test_a_replica_leads_while_every_response_takes_five_seconds(before: float) -> None:
    leases = FakeLeases()
    leases.seconds_before, leases.seconds_after = before, 5.0 - before + 0.01
    first, second = replica(leases, "first"), replica(leases, "second")
    async with running(first) as process, running(second):
        await first.wait()
        writable = 0
        for _ in range(300):
            await asyncio.sleep(1)
            assert not (first.is_leading and second.is_leading)
            writable += first.is_leading
        assert not process.done()
        assert writable >= 290
        assert (leases.record.holder if leases.record else "") == "first"


async def test_a_leader_begins_no_write_while_a_late_renewal_is_under_way_and_then_leads_again() -> None:
    leases = FakeLeases()
    first = replica(leases, "first")
    async with running(first) as process:
        await asyncio.sleep(1)
        leases.seconds_after = 9.5  # the renewal at 2 s is answered at 11.5 s; the one before ends at 10 s
        await asyncio.sleep(9.3)
        assert (first.is_leading, process.done()) == (False, False)
        leases.seconds_after = 0.0
        await asyncio.sleep(2)
        assert (first.is_leading, process.done()) == (True, False)


@pytest.mark.parametrize("seconds", [6.0, 9.0, 12.9, 13.1, 60.0])
@pytest.mark.parametrize("share_before", [0.0, 0.5, 1.0])
async def test_no_two_replicas_lead_at_once_however_slow_the_responses_are(seconds: float, share_before: float) -> None:
    leases = FakeLeases()
    names = ["first", "second"]
    replicas = {name: replica(leases, name) for name in names}
    async with running(replicas["first"]) as first, running(replicas["second"]) as second:
        processes = dict(zip(names, (first, second), strict=True))
        await asyncio.sleep(5)
        leases.seconds_before, leases.seconds_after = seconds * share_before, seconds * (1 - share_before)
        have_led = {"first"}
        for _ in range(2000):
            await asyncio.sleep(0.05)
            have_led |= {name for name in names if replicas[name].is_leading}
            # A replica that has led may have a write under way until its process ends.
            assert len([name for name in have_led if not processes[name].done()]) <= 1


async def test_a_restarted_container_of_the_same_pod_takes_its_own_lease_back_at_once() -> None:
    leases = FakeLeases()
    async with running(replica(leases, "operator-1_uid-1")):
        await asyncio.sleep(20)
    died_at = virtual_time.seconds()
    other, restarted = replica(leases, "operator-2_uid-2"), replica(leases, "operator-1_uid-1")
    async with running(other), running(restarted):
        await restarted.wait()
        assert virtual_time.seconds() - died_at < 0.5
        await asyncio.sleep(60)
        assert (restarted.is_leading, other.is_leading, restarted.holder_changes) == (True, False, 0)


async def test_a_new_pod_waits_until_the_lease_has_expired_on_its_own_clock_whatever_its_name() -> None:
    leases = FakeLeases()
    async with running(replica(leases, "operator_uid-1")):
        await asyncio.sleep(20)
    died_at = virtual_time.seconds()
    later = replica(leases, "operator_uid-2")
    async with running(later):
        await later.wait()
        assert 15 <= virtual_time.seconds() - died_at <= 18


async def test_the_api_server_may_ask_for_a_later_renewal() -> None:
    leases = FakeLeases()
    first = replica(leases, "first")
    async with running(first):
        await asyncio.sleep(1)
        leases.retry_after = 5.0
        leases.away.add("first")
        await asyncio.sleep(2.6)  # the renewal at 2 s has failed
        leases.away.clear()
        before = leases.writes
        await asyncio.sleep(3)
        assert leases.writes == before
        await asyncio.sleep(1)
        assert leases.writes == before + 1


@pytest.mark.parametrize(
    ("uid", "is_same_after_restart"), [("6a3c9c1e-0000-4000-8000-000000000001", True), ("", False)]
)
def test_the_uid_of_the_pod_identifies_the_holder(uid: str, is_same_after_restart: bool) -> None:
    environment = {"SLUICE_RUNTIME_IMAGE": "i", "POD_NAME": "operator-1", "POD_UID": uid}
    first, restarted = (holder_name(settings_from_environment(environment)) for _ in range(2))
    assert first.startswith(f"operator-1_{uid}")
    assert (first == restarted) == is_same_after_restart
