import asyncio

import pytest

from sluice_runtime.aio.waiting import (
    cancel_and_wait,
    run_until_first_completes,
    run_with_timeout,
)
from support.virtual_time import seconds


async def test_first_completed_returns_the_first_that_ends() -> None:
    assert await run_until_first_completes(asyncio.sleep(2), asyncio.sleep(1), asyncio.sleep(3)) == 1
    assert seconds() == 1


async def test_the_others_have_ended_before_first_completed_returns() -> None:
    ends: list[str] = []

    async def slow_to_leave() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)
            ends.append("left")

    await run_until_first_completes(slow_to_leave(), asyncio.sleep(1))
    assert ends == ["left"]
    assert seconds() == 3


async def test_the_error_of_the_first_that_ends_is_raised() -> None:
    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await run_until_first_completes(asyncio.sleep(1), fail())


async def test_cancelling_first_completed_cancels_all() -> None:
    cancelled = 0

    async def run() -> None:
        nonlocal cancelled
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            cancelled += 1
            raise

    task = asyncio.create_task(run_until_first_completes(run(), run()))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert cancelled == 2


async def test_completes_within_returns_whether_it_completed() -> None:
    assert await run_with_timeout(2, asyncio.sleep(1))
    assert not await run_with_timeout(2, asyncio.sleep(5))
    assert seconds() == 3


async def test_completes_within_without_a_limit_waits() -> None:
    assert await run_with_timeout(None, asyncio.sleep(10_000))


async def test_cancel_waits_for_tasks_that_fail() -> None:
    async def fail_late() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            raise LookupError

    tasks = [asyncio.create_task(fail_late()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.sleep(1)
    await cancel_and_wait(*tasks)
    assert all(task.done() for task in tasks)
