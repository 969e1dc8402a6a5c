"""An event loop whose clock jumps to the next timer: `asyncio.sleep(60)` takes no real time, and times are exact.

A conftest.py makes it the loop of every coroutine test below it:

    def pytest_asyncio_loop_factories(config, item):
        return {"virtual": VirtualTimeLoop}
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

# The wall clock at the start of a loop: within the trading hours of an ordinary day.
START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class DeadlockError(RuntimeError):
    """Every task waits, and no timer or event will ever wake one."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s. `lateness()` returns how many seconds late the next timer fires; 0 unless a test sets it."""

    def __init__(self) -> None:
        self.lateness: Callable[[], float] = lambda: 0.0
        self._now = 0.0
        super().__init__(_JumpingSelector(self._advance))

    def time(self) -> float:
        """Return the virtual seconds since the loop began."""
        return self._now

    def _advance(self, seconds: float) -> None:
        self._now += seconds + self.lateness()


class _JumpingSelector(selectors.BaseSelector):
    """A selector that advances the clock instead of waiting for a file."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._files = selectors.DefaultSelector()
        self._advance = advance

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._files.select(0)
        if not ready and timeout is None:
            raise DeadlockError("no task can go on, and no timer is set")
        if not ready and timeout:
            self._advance(timeout)
        return ready

    def close(self) -> None:
        self._files.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files.get_map()


def seconds() -> float:
    """Return the running loop's time."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """Return the wall clock of the running loop: START plus its virtual seconds."""
    return START + timedelta(seconds=seconds())


async def settle() -> None:
    """Let every task run that can, without advancing the time."""
    for _ in range(50):
        await asyncio.sleep(0)


async def at(moment: float) -> None:
    """Wait until `moment` seconds after the start of the loop; timers that are due then fire first."""
    await asyncio.sleep(max(0.0, moment - seconds()))
    await settle()
