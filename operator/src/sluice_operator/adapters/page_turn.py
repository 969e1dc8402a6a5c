"""Which page of a LIST may be in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

LONGEST_WAIT_SECONDS: Final = 5.0


class PageTurn:
    """One page of a LIST is in memory at a time, unless the request for it hangs.

    The objects of tenants may be large, so pages are read one after the other. A response that does not arrive must
    not hold up the LISTs of other kinds: after `LONGEST_WAIT_SECONDS`, the next page is read beside it.
    """

    def __init__(self, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self._lock = asyncio.Lock()
        self._longest_wait = longest_wait_seconds
        self.waiting = 0  # pages that wait for their turn

    @property
    def is_taken(self) -> bool:
        """Return whether a page is being read."""
        return self._lock.locked()

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for the turn, and hold it until the block ends."""
        has_turn = await self._wait()
        try:
            yield
        finally:
            if has_turn:
                self._lock.release()

    async def _wait(self) -> bool:
        self.waiting += 1
        try:
            await asyncio.wait_for(self._lock.acquire(), self._longest_wait)
        except TimeoutError:
            return False
        finally:
            self.waiting -= 1
        return True
