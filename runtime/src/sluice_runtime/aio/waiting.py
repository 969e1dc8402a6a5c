"""Helpers that wait for coroutines and cancel what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def run_until_first_completes(*contenders: Coroutine[Any, Any, Any]) -> int:
    """Run coroutines until the first completes, cancel the others, and return the index of the completed one.

    If the first one failed, its exception is raised. The others have ended on return.
    """
    tasks = [asyncio.ensure_future(contender) for contender in contenders]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(index for index, task in enumerate(tasks) if task.done())
    finally:
        await cancel_and_wait(*tasks)
    tasks[ended].result()
    return ended


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended, ignoring their exceptions."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run_with_timeout(seconds: float | None, coroutine: Coroutine[Any, Any, Any]) -> bool:
    """Run a coroutine for at most `seconds`, then cancel it. Return True if it completed in time.

    If `seconds` is None, it runs without a limit.
    """
    try:
        async with asyncio.timeout(seconds):
            await coroutine
    except TimeoutError:
        return False
    return True
