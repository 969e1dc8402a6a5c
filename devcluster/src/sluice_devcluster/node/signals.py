"""A signal between tasks that forgets nothing: whoever waits for the next one gets it."""

from __future__ import annotations

import asyncio


class Pulse:
    """Wakes everybody who waits at the moment."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._event = asyncio.Event()

    def send(self) -> None:
        """Wakes all who wait; those who start to wait later wait for the next one."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float | None = None) -> bool:
        """Waits for the next pulse, at most `seconds`; says whether it came."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True
