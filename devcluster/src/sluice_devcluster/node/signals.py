"""A signal between tasks that forgets nothing: whoever waits for the next one gets it."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class ChangeCounter:
    """Counts what happened; whoever has seen so many happenings can wait for one more."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.count = 0
        self._event = asyncio.Event()

    def increment(self) -> None:
        """Something has happened."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait_for_change(self, seen: int, seconds: float | None = None) -> None:
        """Waits until more than `seen` things have happened, at most `seconds`."""
        if self.count == seen:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), seconds)
