import asyncio

import pytest

from sluice_runtime.aio.latest_value import LatestValue, wait_for_any_change
from support.virtual_time import settle


async def test_a_change_that_came_before_the_wait_is_not_missed() -> None:
    cell = LatestValue(1)
    before = cell.version
    cell.set(2)
    assert await cell.wait_for_change(before) == cell.version


async def test_a_waiter_wakes_once_for_each_change() -> None:
    cell = LatestValue(0)
    seen: list[int] = []

    async def watch() -> None:
        version = cell.version
        while True:
            version = await cell.wait_for_change(version)
            seen.append(cell.value)

    task = asyncio.create_task(watch())
    await settle()
    cell.set(1)
    await settle()
    cell.set(2)
    cell.set(3)
    await settle()
    task.cancel()
    assert seen == [1, 3]


async def test_an_equal_value_wakes_no_waiter() -> None:
    cell = LatestValue("a")
    task = asyncio.create_task(cell.wait_for_change(cell.version))
    cell.set("a")
    await settle()
    assert not task.done()
    cell.set("b")
    assert await task == 1


async def test_all_waiters_of_a_value_are_woken() -> None:
    cell = LatestValue(0)
    tasks = [asyncio.create_task(cell.wait_for_change(0)) for _ in range(3)]
    await settle()
    cell.set(1)
    assert await asyncio.gather(*tasks) == [1, 1, 1]


async def test_a_wait_for_several_values_ends_with_any_and_leaves_no_task() -> None:
    first, second = LatestValue(1), LatestValue("a")
    task = asyncio.create_task(wait_for_any_change((first, first.version), (second, second.version)))
    await settle()
    assert not task.done()
    second.set("b")
    await settle()
    assert task.done()
    assert len(asyncio.all_tasks()) == 1


async def test_a_callback_runs_within_the_change_and_before_the_waiters() -> None:
    cell, order = LatestValue(0), list[str]()

    async def wait() -> None:
        await cell.wait_for_change(0)
        order.append("waiter")

    task = asyncio.create_task(wait())
    await settle()
    with cell.calling(lambda: order.append(f"callback at {cell.value}")):
        cell.set(0)
        cell.set(1)
    cell.set(2)
    await task
    assert order == ["callback at 1", "waiter"]


async def test_a_callback_that_fails_leaves_no_waiter_asleep() -> None:
    cell = LatestValue(0)

    def fail() -> None:
        raise RuntimeError("it failed")

    task = asyncio.create_task(cell.wait_for_change(0))
    await settle()
    with cell.calling(fail), pytest.raises(RuntimeError, match="it failed"):
        cell.set(1)
    assert await task == 1
