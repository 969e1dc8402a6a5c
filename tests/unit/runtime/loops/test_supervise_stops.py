"""A supervisor whose desired state becomes a stop: what happens within the change, and what after it."""

import asyncio

import pytest

from support.runtime_fakes import runtime_state
from support.runtime_worlds import SupervisedWorld
from support.virtual_time import at, settle


@pytest.fixture
async def world() -> SupervisedWorld:
    return SupervisedWorld(runtime_state())


async def test_the_close_begins_before_any_task_that_waits_for_the_pause(world: SupervisedWorld) -> None:
    closing_when_woken: list[int] = []

    async def wait() -> None:
        await world.runtime.desired.wait_for_change(world.runtime.desired.version)
        closing_when_woken.append(len(world.source.closing))

    task = asyncio.create_task(wait())
    async with world.running():
        await settle()
        world.pause()
        await task
    assert closing_when_woken == [1]


async def test_a_pause_that_ends_at_once_still_closes_the_socket(world: SupervisedWorld) -> None:
    async with world.running():
        await at(1.0)
        world.pause()
        world.resume()
        await at(2.0)
        assert world.source.closings == [1.0]
        assert (world.runtime.stream.state, world.source.most_open) == ("Live", 1)
