"""Short pauses of reading, so that a connection with few quotes reads them in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Waking up costs fifty times as much as handling one quote. Therefore a connection with few quotes pauses reading in
# between, for no longer than the shortest flush interval, and then reads what has arrived in one batch.
PAUSE_SECONDS = 0.02


class ReadingPause:
    """Pauses reading of a transport, for at most 20 ms at a time."""

    def __init__(self, transport: asyncio.ReadTransport | None) -> None:
        """`transport` is None if the connection is lost already."""
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None
        self._is_suspended = False
        self._begins_later = False  # when it is no longer suspended

    def begin(self) -> None:
        """Pause reading now. Does nothing if the connection is closing or lost."""
        transport = self._transport
        if self._is_suspended:
            self._begins_later = True
        elif self._timer is None and transport is not None and not transport.is_closing():
            transport.pause_reading()
            self._timer = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._end)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """End the pause. One that `begin` requests within the context begins at its end."""
        if self._timer is not None:
            self._end()
        self._is_suspended, self._begins_later = True, False
        try:
            yield
        finally:
            self._is_suspended = False
            if self._begins_later:
                self.begin()

    def end_for_good(self) -> None:
        """Resume reading, whatever has paused it, and never pause it again."""
        self._end()
        self._transport = None

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            with suppress(AttributeError):  # asyncio's TLS transport raises it once it has been closed twice
                self._transport.resume_reading()
