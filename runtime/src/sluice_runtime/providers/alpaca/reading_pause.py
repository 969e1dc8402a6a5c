"""Short pauses of reading, so that a connection with few quotes reads them in batches."""

from __future__ import annotations

import asyncio
from contextlib import suppress

# Waking up costs fifty times as much as handling one quote. Therefore a connection with few quotes pauses reading in
# between, for no longer than the shortest flush interval, and then reads what has arrived in one batch.
PAUSE_SECONDS = 0.02


class ReadingPause:
    """Pauses reading of a transport, for at most 20 ms at a time."""

    def __init__(self, transport: asyncio.ReadTransport | None) -> None:
        """`transport` is None if the connection is lost already."""
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Pause reading now. Does nothing if the connection is closing or lost."""
        transport = self._transport
        if self._timer is None and transport is not None and not transport.is_closing():
            transport.pause_reading()
            self._timer = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self.end)

    def end_early(self) -> bool:
        """Resume reading if `begin` has paused it, and return whether it had."""
        if self._timer is None:
            return False
        self.end()
        return True

    def end(self) -> None:
        """Resume reading, whatever has paused it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            with suppress(AttributeError):  # asyncio's TLS transport raises it once it has been closed twice
                self._transport.resume_reading()
