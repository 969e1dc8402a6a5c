import asyncio

import pytest

from sluice_runtime.aio.shielding import close_and_notify, finish_despite_cancellation
from support.fake_listener import FakeListener


async def test_a_close_is_awaited_however_often_it_is_cancelled() -> None:
    goes_on, closed = asyncio.Event(), False

    async def close() -> None:
        nonlocal closed
        await goes_on.wait()
        closed = True

    task = asyncio.create_task(finish_despite_cancellation(close()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed


async def test_without_a_cancellation_the_result_is_that_of_the_close() -> None:
    async def fail() -> None:
        raise OSError("broken pipe")

    with pytest.raises(OSError, match="broken pipe"):
        await finish_despite_cancellation(fail())
    await finish_despite_cancellation(asyncio.sleep(0))


async def test_the_listener_is_notified_even_if_the_close_fails() -> None:
    async def fail() -> None:
        raise OSError("broken pipe")

    listener = FakeListener()
    with pytest.raises(OSError, match="broken pipe"):
        await close_and_notify(fail(), listener)
    assert listener.history == ["closed"]
