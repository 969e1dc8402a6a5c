"""A watch over a WebSocket, whose pings show that the API server still serves it, at no cost of a request.

The API server answers a ping on the connection of the watch itself, so a ping finds what breaks that connection or
stops the server: also a proxy that keeps the connection open although there is no API server behind it. It does not
find a server that answers pings and delivers no events. For that, there is still a live read, but not as often.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Final

import aiohttp

from .api_session import stream_json_messages
from .object_watch import ACCEPTANCE_SECONDS, ObjectWatch

_log = logging.getLogger(__name__)

# A watch that is silent for 6 s, which aiohttp rounds up to at most 7 s, sends a ping, and waits 3 s for the answer.
# A dead watch is thus found within 10 s.
PING_SECONDS: Final = 6.0
# At random, so that the pods do not read at the same time after they have all reconnected.
LIVE_READ_SECONDS: Final = (45.0, 60.0)


class PingedWatch(ObjectWatch):
    """An ObjectWatch over a WebSocket. If the server, or a proxy, refuses WebSockets, it uses plain HTTP."""

    _has_logged_refusal = False

    async def deliver_events(self, since: str, on_accepted: Callable[[], None] = lambda: None) -> None:
        if not await self._has_delivered_by_websocket(since, on_accepted):
            await super().deliver_events(since, on_accepted)

    async def _has_delivered_by_websocket(self, since: str, on_accepted: Callable[[], None]) -> bool:
        """Deliver each event after `since` by a WebSocket. Return False if the server refuses the WebSocket."""
        opening = self._session.websocket(
            self._collection, self._query(since), ping_seconds=PING_SECONDS, timeout=ACCEPTANCE_SECONDS
        )
        try:
            async with opening as socket:
                on_accepted()
                await self._deliver_each(stream_json_messages(socket), lambda: random.uniform(*LIVE_READ_SECONDS))
        except aiohttp.WSServerHandshakeError as error:
            if not self._has_logged_refusal:
                _log.info("a WebSocket for a watch was refused (HTTP %d); watching over plain HTTP", error.status)
            self._has_logged_refusal = True
            return False
        return True
