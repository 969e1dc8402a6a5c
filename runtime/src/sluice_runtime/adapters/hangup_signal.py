"""SIGHUP, which requests a reload."""

from __future__ import annotations

import asyncio
import atexit
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any


def ignore_hangup() -> None:
    """Ignore SIGHUP. A process that is starting reads all files anyway, and must not end because of the signal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def run_on_hangup(action: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run `action` in a task of the running event loop at each SIGHUP; after the loop has closed, ignore the signal.

    The handler of asyncio is not used: closing the loop removes it, and the signal would then end the process.
    """
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[Any]] = set()  # the event loop itself keeps only weak references

    def start_task() -> None:
        task = loop.create_task(action())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def handle(_: int, __: FrameType | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(start_task)

    signal.signal(signal.SIGHUP, handle)
    atexit.register(ignore_hangup)  # at its end, the interpreter restores the default action of a signal with a handler
