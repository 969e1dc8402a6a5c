"""Pods that another client deletes soon after their creation."""

from __future__ import annotations

from sluice_contract import conditions as c
from sluice_contract.status import PodRestart

from .test_life import COLD, HOT, PAUSED
from .world import KEY, NOW, SYNTHETIC, World, condition, declared, found, live


async def _delete_young_pods(world: World, count: int) -> None:
    for _ in range(count):
        world.cluster.finish(KEY)
        await world.settle()
        restart = world.job.status.restart
        if restart is not None and not world.cluster.pods:
            await world.advance(_seconds_until(restart, world) + 1)


def _seconds_until(restart: PodRestart, world: World) -> float:
    return restart.next_at.timestamp() - NOW.timestamp() - world.seconds


async def _waiting(world: World) -> World:
    """Return a job that waits because another client has deleted two young pods."""
    await declared(world)
    await _delete_young_pods(world, 1)
    world.cluster.finish(KEY)
    await world.settle()
    return world


async def test_the_first_young_pod_that_is_deleted_is_replaced_at_once(world: World) -> None:
    await declared(world)
    await _delete_young_pods(world, 1)
    assert (world.ready, world.cluster.writes.count("create")) == (("False", c.POD_PENDING), 2)
    assert world.cluster.writes[-2:] == ["create", "status"]


async def test_each_further_one_is_replaced_after_a_growing_delay(world: World) -> None:
    await declared(world)
    await _delete_young_pods(world, 1)
    delays = []
    for _ in range(6):
        world.cluster.finish(KEY)
        await world.settle()
        restart = world.job.status.restart
        assert restart is not None
        delays.append(round(_seconds_until(restart, world)))
        await world.advance(delays[-1] - 1)
        assert world.cluster.pods == {}
        await world.advance(2)
        assert world.ready == ("False", c.POD_PENDING)
    assert delays == [20, 40, 80, 160, 300, 300]


async def test_the_status_says_what_happens_and_what_to_do(world: World) -> None:
    await _waiting(world)
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", c.POD_DELETED)
    assert "Another client deleted the pod within 60 s of its creation, more than once." in ready.message
    assert ready.message.endswith("to stop the stream, pause the job instead.")


async def test_a_pod_that_lived_longer_is_replaced_at_once_each_time(world: World) -> None:
    await declared(world)
    for count in range(2, 6):
        await world.advance(61)
        world.cluster.finish(KEY)
        await world.settle()
        assert (world.job.status.restart, world.cluster.writes.count("create")) == (None, count)


async def test_a_pod_that_the_operator_deletes_does_not_count(world: World) -> None:
    await live(world)
    for number in range(4):
        await declared(world, COLD | {"synthetic": {"seed": number}})
        await declared(world, SYNTHETIC)  # the deleted pod is the right one again
        world.cluster.finish(KEY)
        await world.settle()
        assert (world.job.status.restart, world.cluster.writes.count("create")) == (None, number + 2)


async def test_a_restarted_operator_goes_on_with_the_wait(world: World) -> None:
    await _waiting(world)
    world.start()
    await world.settle()
    assert (world.ready, world.cluster.pods) == (("False", c.POD_DELETED), {})
    await world.advance(21)
    assert world.ready == ("False", c.POD_PENDING)


async def test_a_change_of_the_spec_does_not_wait(world: World) -> None:
    for spec in (COLD, HOT):
        for is_restarted in (False, True):
            each = await _waiting(World())
            if is_restarted:
                each.start()
                await each.settle()
            await declared(each, spec)
            assert each.ready == ("False", c.POD_PENDING)


async def test_a_cold_change_while_the_deleted_pod_terminates_does_not_wait(world: World) -> None:
    await live(world)
    world.cluster.finish(KEY)
    await world.settle()
    await world.cluster.delete_pod(KEY, world.pod.metadata.uid, world.pod.metadata.resource_version)
    await declared(world, COLD)
    world.cluster.finish(KEY)
    await world.settle()
    assert world.ready == ("False", c.POD_PENDING)


async def test_a_pause_is_confirmed_during_the_wait(world: World) -> None:
    await _waiting(world)
    await declared(world, PAUSED)
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


async def test_a_wait_that_a_wrong_clock_has_written_is_replaced_by_a_short_one(world: World) -> None:
    await _waiting(world)
    restart = {"count": 2, "nextAt": NOW.replace(year=2027).isoformat()}
    document = world.cluster.jobs[KEY]
    world.cluster.change("ingestjobs", document, status=document["status"] | {"restart": restart})
    await world.settle()
    await world.advance(41)
    assert world.ready == ("False", c.POD_PENDING)
