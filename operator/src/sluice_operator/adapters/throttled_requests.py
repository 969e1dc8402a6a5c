"""Requests of kopf that wait as long as the API server has asked, whatever the status of its response was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp

from .retry_after import retry_after_seconds

_FIRST_FAILURE: Final = 400


class ThrottledRequests:
    """An aiohttp middleware that sends no request for a path before the time that the last failure for it named.

    kopf itself obeys Retry-After only with HTTP 429.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """`clock` is monotonic, in seconds."""
        self._clock = clock
        self._sleep = sleep
        self._not_before: dict[str, float] = {}

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Wait if the API server has asked for that, and send the request."""
        path = request.url.path
        wait = self._not_before.get(path, 0.0) - self._clock()
        if wait > 0:
            await self._sleep(wait)
        self._not_before.pop(path, None)
        response = await handler(request)
        if response.status >= _FIRST_FAILURE:
            seconds = retry_after_seconds(response.headers)
            if seconds is not None:
                self._not_before[path] = self._clock() + seconds
        return response
