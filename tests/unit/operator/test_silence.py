"""A pod that does not report: the fault may be the pod's, the watch's or the API server's."""

from __future__ import annotations

import pytest

from sluice_contract import conditions as c
from sluice_operator.ports import Unavailable

from .world import KEY, World, live


async def test_ninety_seconds_without_a_report_cause_a_live_read_and_then_a_condition(world: World) -> None:
    await live(world)
    await world.advance(89)
    assert world.ready == ("True", c.STREAMING_REASON)
    await world.advance(2)
    assert world.ready == ("False", c.HEARTBEAT_STALE)
    await world.streams()
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_a_heartbeat_that_the_watch_missed_is_found_by_a_live_read(world: World) -> None:
    await live(world)
    await world.advance(80)
    world.watching = False
    await world.streams()
    world.watching = True
    await world.advance(20)
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_an_unreachable_api_server_does_not_count_as_the_pods_silence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(world)
    with monkeypatch.context() as outage:
        outage.setattr(world.cluster, "read_job", _away)
        with pytest.raises(Unavailable):
            await world.advance(91)
    world.dirty.add(KEY)
    await world.settle()
    await world.advance(60)
    assert world.ready == ("True", c.STREAMING_REASON)


async def _away(_: object) -> None:
    raise Unavailable("connection refused")


async def test_a_restarted_operator_starts_counting_the_silence_again(world: World) -> None:
    await live(world)
    await world.advance(80)
    world.start()
    await world.settle()
    await world.advance(80)
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_an_outage_that_ended_just_before_the_deadline_does_not_count_as_silence(world: World) -> None:
    await live(world)
    await world.advance(40)
    world.away = 45.0  # the outage, from the 40th to the 85th second, in which only the Lease sends requests
    world.seconds += 45
    await world.advance(30)
    assert world.ready == ("True", c.STREAMING_REASON)
    await world.advance(25)
    assert world.ready == ("False", c.HEARTBEAT_STALE)
