"""The states of a start that last for less than five seconds are not written."""

from __future__ import annotations

from sluice_contract import conditions as c

from .test_life import HOT, PAUSED
from .world import KEY, RUNNING, SYNTHETIC, World, condition, declared, live


async def _running(world: World) -> int:
    """Let the pod of a new job run. Return the number of status writes up to now."""
    world.cluster.bound = True
    await declared(world)
    world.cluster.pod_is(KEY, **RUNNING)
    await world.settle()
    return world.cluster.writes.count("status")


async def test_the_states_of_a_quick_start_are_written_once(world: World) -> None:
    writes = await _running(world)
    for state in ("Connecting", "Authenticating", "Subscribing", "Live"):
        await world.advance(1)
        await world.streams(state=state)
    assert (writes, world.cluster.writes.count("status")) == (1, 2)
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_a_state_that_lasts_is_written_after_five_seconds(world: World) -> None:
    writes = await _running(world)
    await world.advance(4)
    await world.streams(state="Connecting")
    assert world.ready == ("False", c.POD_PENDING)
    await world.advance(1.5)
    assert world.ready == ("False", c.CONNECTING)
    assert world.cluster.writes.count("status") == writes + 1


async def test_states_that_alternate_are_written_at_most_every_five_seconds(world: World) -> None:
    writes = await _running(world)
    for second in range(20):
        await world.streams(state=("Connecting", "Authenticating")[second % 2])
        await world.advance(1)
    assert world.cluster.writes.count("status") <= writes + 4


async def test_a_pause_is_written_at_once_during_a_delay(world: World) -> None:
    await _running(world)
    await world.streams(state="Connecting")
    await declared(world, PAUSED)
    assert world.ready == ("False", c.PAUSING)


async def test_a_failure_is_written_at_once_during_a_delay(world: World) -> None:
    await _running(world)
    await world.streams(state="Connecting")
    await world.streams(state="BackingOff")
    assert world.ready == ("False", c.BACKING_OFF)


async def test_a_new_generation_is_written_at_once(world: World) -> None:
    await live(world)
    await declared(world, HOT)
    assert (world.ready, world.job.status.observed_generation) == (("False", c.APPLYING_SPEC), 2)


async def test_a_restarted_operator_writes_the_state_after_five_seconds(world: World) -> None:
    await _running(world)
    world.start()
    await world.settle()
    assert world.ready == ("False", c.POD_PENDING)
    await world.advance(5.1)
    assert world.ready == ("False", c.POD_STARTING)
    assert condition(world.job.status, c.STREAMING) == ("False", c.POD_STARTING)


async def test_a_running_pod_that_never_reports_is_noticed_after_ninety_seconds(world: World) -> None:
    world.cluster.declare(KEY, SYNTHETIC)
    await world.settle()
    world.cluster.pod_is(KEY, **RUNNING)
    await world.settle()
    await world.advance(6)
    assert world.ready == ("False", c.POD_STARTING)
    await world.advance(85)
    assert world.ready == ("False", c.HEARTBEAT_STALE)
