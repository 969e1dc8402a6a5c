from datetime import timedelta

import pytest

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import run_with_timeout
from sluice_runtime.domain.failure import DocumentConflictError
from sluice_runtime.state.document_ownership import DocumentOwnership
from support.runtime_fakes import desired
from support.virtual_time import at, now, seconds


class World:
    """An ownership, a wall clock that can jump, and the number of signalled transitions."""

    def __init__(self) -> None:
        self.transitions = 0
        self.jump = timedelta()
        self.ownership = DocumentOwnership(LatestValue(desired()), lambda: now() + self.jump, self._signal)

    def _signal(self) -> None:
        self.transitions += 1


@pytest.fixture
async def world() -> World:
    return World()


def conflict(writer: str = "job acme/fx", message: str = "another job writes") -> DocumentConflictError:
    return DocumentConflictError(message, writer, 30.0)


async def test_a_conflict_is_reported_once_for_each_writer(world: World) -> None:
    for message in ("4 s ago", "9 s ago"):
        world.ownership.record_conflict(conflict(message=message))
    found = await world.ownership.wait_for_conflict()
    assert (found.type, found.message, found.at, world.transitions) == ("documentConflict", "4 s ago", now(), 1)
    world.ownership.record_conflict(conflict(writer="job acme/third"))
    assert world.transitions == 2


async def test_an_accepted_heartbeat_ends_the_conflict_and_a_failed_one_does_not(world: World) -> None:
    world.ownership.record_conflict(conflict())
    world.ownership.record_heartbeat_failed()
    assert not await run_with_timeout(1, world.ownership.wait_for_no_conflict())
    world.ownership.record_heartbeat_accepted()
    await world.ownership.wait_for_no_conflict()
    assert (world.ownership.conflict.value, world.transitions) == (None, 2)


async def test_the_first_outcome_is_awaited_for_three_seconds_at_most(world: World) -> None:
    await world.ownership.wait_for_first_outcome()
    assert seconds() == 3
    world.ownership.record_heartbeat_failed()
    await world.ownership.wait_for_first_outcome()
    assert seconds() == 3


async def test_writes_wait_during_a_conflict(world: World) -> None:
    assert not world.ownership.writes_must_wait
    world.ownership.record_conflict(conflict())
    assert world.ownership.writes_must_wait
    world.ownership.record_heartbeat_accepted()
    assert not world.ownership.writes_must_wait


async def test_after_three_intervals_without_a_heartbeat_writes_wait_for_the_next_for_a_minute(world: World) -> None:
    world.ownership.record_heartbeat_accepted()
    found = {}
    for moment in (44.0, 45.0, 104.0, 105.0):
        await at(moment)
        found[moment] = world.ownership.writes_must_wait
    assert found == {44.0: False, 45.0: True, 104.0: True, 105.0: False}


async def test_a_suspended_machine_waits_for_a_heartbeat_although_the_monotonic_clock_stood_still(
    world: World,
) -> None:
    world.ownership.record_heartbeat_accepted()
    world.jump = timedelta(seconds=50)
    assert world.ownership.writes_must_wait
    world.ownership.record_heartbeat_accepted()
    assert not world.ownership.writes_must_wait
