"""A counter that tasks wait on, so that a change between two waits is not missed."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class ChangeCounter:
    """Counts changes; a task that knows the count of its last look can wait for the next change."""

    def __init__(self) -> None:
        """The count starts at 0."""
        self.count = 0
        self._event = asyncio.Event()

    def increment(self) -> None:
        """Count one more change and wake the waiting tasks."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait_for_change(self, seen: int, seconds: float | None = None) -> None:
        """Wait until the count differs from `seen`, at most `seconds`."""
        if self.count == seen:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), seconds)
