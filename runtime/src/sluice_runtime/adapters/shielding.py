"""An end that is reached whoever is in a hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..ports import Listener


async def uninterrupted(closing: Coroutine[Any, Any, None]) -> None:
    """Awaits what has an end of its own; who is cancelled meanwhile is so only when it is over.

    A job's deletion cancels a stream, and the SIGTERM that follows cancels it again: without this, the second would cut
    short the farewell that the first has begun, and the vendor count the connection until it finds out by itself.
    """
    task = asyncio.ensure_future(closing)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


async def farewell(closing: Coroutine[Any, Any, None], listener: Listener) -> None:
    """Awaits the close of a connection, uninterrupted, and tells its listener, whatever has come of it."""
    try:
        await uninterrupted(closing)
    finally:
        listener.closed()
