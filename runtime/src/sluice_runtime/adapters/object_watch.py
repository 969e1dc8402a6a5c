"""The watch of objects in the API server, as the pod's own IngestJob and the pauses share it.

A watch can be silent because nothing changes, or because it is broken: a proxy or a load balancer may keep the
connection open although there is no API server behind it. So a silent watch is compared with a live read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from .api_session import ApiSession, stream_json_lines

REQUEST: Final = aiohttp.ClientTimeout(total=5.0)
# A watch that is silent for 8 s is compared with a live read, which may take 4 s. A stop that the watch does not
# deliver is thus seen within 12 s.
LIVE_READ_SECONDS: Final = 8.0
LIVE_READ: Final = aiohttp.ClientTimeout(total=4.0)
# How long an event of the watch may lag behind a live read.
_EVENT_SECONDS: Final = 2.0
_WATCH_SECONDS: Final = 290
_WATCH: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0)

Event = dict[str, Any]


class SilentWatchError(OSError):
    """Objects have changed, but the watch has not delivered the change."""


class ObjectWatch:
    """Delivers the events of one collection.

    `has_delivered_all` reads the objects live, and returns whether the watch has delivered their newest versions.
    """

    def __init__(
        self,
        session: ApiSession,
        collection: str,
        deliver: Callable[[Event], None],
        has_delivered_all: Callable[[], Awaitable[bool]],
        selector: Mapping[str, str] | None = None,
    ) -> None:
        self._session = session
        self._collection = collection
        self._deliver = deliver
        self._has_delivered_all = has_delivered_all
        self._selector = dict(selector or {})

    async def deliver_events(self, since: str) -> None:
        """Deliver each event after the resourceVersion `since`.

        Returns when the server ends the watch, or no longer has the events since then.

        Raises:
            aiohttp.ClientResponseError: the server refuses the watch.
            SilentWatchError: the watch does not deliver changes.
        """
        query = {
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
            **self._selector,
        }
        async with self._session.get(self._collection, query, _WATCH) as response:
            response.raise_for_status()
            events = stream_json_lines(response)
            following = asyncio.ensure_future(anext(events, None))
            try:
                while (event := await self._wait_for_event_or_verify(following)) is not None:
                    if event["type"] == "ERROR":
                        return
                    self._deliver(event)
                    following = asyncio.ensure_future(anext(events, None))
            finally:
                following.cancel()

    async def _wait_for_event_or_verify(self, following: asyncio.Future[Event | None]) -> Event | None:
        """Return the event of `following`. After each 8 s without it, compare the watch with a live read."""
        while not (await asyncio.wait({following}, timeout=LIVE_READ_SECONDS))[0]:
            live = asyncio.ensure_future(self._has_delivered_all())
            either: set[asyncio.Future[Any]] = {following, live}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if following.done() or live.result():
                    continue
            finally:
                live.cancel()
            if not (await asyncio.wait({following}, timeout=_EVENT_SECONDS))[0]:
                raise SilentWatchError("an object has changed, but the watch has not delivered the change")
        return following.result()
