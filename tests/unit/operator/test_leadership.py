"""Two replicas and one Lease, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sluice_operator.domain.election import LeaseRecord, LeaseTimings
from sluice_operator.leadership import ElectionClocks, Leadership
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
        leases.record = LeaseRecord("thief", 15, resource_version=str(leases.writes))
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
