"""The watch of objects in the API server, as the pod's own IngestJob and the pauses share it.

A watch can be silent because nothing changes, or because it is broken: a proxy or a load balancer may keep the
connection open although there is no API server behind it. So a silent watch is compared with a live read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
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
# How long the API server may take to accept a watch, as for any other request.
ACCEPTANCE_SECONDS: Final = 5.0

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

    async def deliver_events(self, since: str, on_accepted: Callable[[], None] = lambda: None) -> None:
        """Call `on_accepted` once the watch is accepted, then deliver each event after the resourceVersion `since`.

        Returns when the server ends the watch, or no longer has the events since then.

        Raises:
            aiohttp.ClientResponseError: the server refuses the watch.
            TimeoutError: the server does not answer.
            SilentWatchError: the watch does not deliver changes.
        """
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(ACCEPTANCE_SECONDS):
                answering = self._session.get(self._collection, self._query(since), _WATCH)
                response = await stack.enter_async_context(answering)
            response.raise_for_status()
            on_accepted()
            await self._deliver_each(stream_json_lines(response), lambda: LIVE_READ_SECONDS)

    def _query(self, since: str) -> dict[str, str]:
        return {
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
            **self._selector,
        }

    async def _deliver_each(self, events: AsyncIterator[Event], silence_seconds: Callable[[], float]) -> None:
        """Deliver each event until the last one, or an error. Compare a watch with a live read after a silence."""
        following = asyncio.ensure_future(anext(events, None))
        try:
            while (event := await self._wait_for_event_or_verify(following, silence_seconds)) is not None:
                if event["type"] == "ERROR":
                    return
                self._deliver(event)
                following = asyncio.ensure_future(anext(events, None))
        finally:
            following.cancel()

    async def _wait_for_event_or_verify(
        self, following: asyncio.Future[Event | None], silence_seconds: Callable[[], float]
    ) -> Event | None:
        """Return the event of `following`. After each silence without it, compare the watch with a live read."""
        while not (await asyncio.wait({following}, timeout=silence_seconds()))[0]:
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
