"""Closing of connections that cancellation does not interrupt."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..ports import Listener


async def finish_despite_cancellation(closing: Coroutine[Any, Any, None]) -> None:
    """Await `closing` to its end, and only then raise a cancellation that arrived in the meantime.

    The deletion of a job cancels a stream, and the SIGTERM that follows cancels it again. Without this function, the
    second cancellation would interrupt the close, and the vendor would count the connection until its own timeout.
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


async def close_and_notify(closing: Coroutine[Any, Any, None], listener: Listener) -> None:
    """Close a connection despite cancellation, and notify its listener even if the close fails."""
    try:
        await finish_despite_cancellation(closing)
    finally:
        listener.on_socket_closed()
