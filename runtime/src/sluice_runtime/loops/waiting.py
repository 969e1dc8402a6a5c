"""Structured waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_completed(*contenders: Coroutine[Any, Any, Any]) -> int:
    """Runs coroutines until the first ends, cancels the others and waits until they are gone.

    Returns the index of one that ended by itself. Raises what it raised.
    """
    tasks = [asyncio.ensure_future(contender) for contender in contenders]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(index for index, task in enumerate(tasks) if task.done())
    finally:
        await cancel(*tasks)
    tasks[ended].result()
    return ended


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks and waits until they are gone, whatever they end with."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def completes_within(seconds: float | None, awaitable: Coroutine[Any, Any, Any]) -> bool:
    """Waits at most `seconds`. Whether it ended by itself."""
    try:
        async with asyncio.timeout(seconds):
            await awaitable
    except TimeoutError:
        return False
    return True
