"""Carries events from threads to an event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from sluice_client.sources import Deliver, Event, QuoteRead


class Mailbox:
    """Delivers events of any thread on the loop on which it was made.

    While the loop is busy, only the newest quote of each symbol and the newest other event of each kind are kept, so
    a slow consumer costs no memory.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: dict[object, Event] = {}
        self._is_closed = False

    def put(self, *events: Event) -> None:
        """Deliver these events soon. May be called by any thread; after `close` it does nothing."""
        with self._lock:
            is_idle = not self._waiting
            for event in events:
                self._waiting[event.symbol if isinstance(event, QuoteRead) else type(event)] = event
            if is_idle and self._waiting:
                with suppress(RuntimeError):  # the loop is closed: there is no reader any more
                    self._loop.call_soon_threadsafe(self._empty)

    def close(self) -> None:
        """Deliver nothing from now on. Called on the loop."""
        self._is_closed = True

    def _empty(self) -> None:
        with self._lock:
            events, self._waiting = self._waiting, {}
        for event in events.values():
            if not self._is_closed:
                self._deliver(event)
