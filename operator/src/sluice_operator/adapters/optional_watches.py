"""LISTs and watches of kinds that the API server may not serve, or may not let the operator read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import aiohttp

from ..domain.optional_kinds import FORBIDDEN, NOT_FOUND, optional_kind_of_path

RETRY_SECONDS: Final = 20.0  # less than the time limit of a request


class WatchAccess(Protocol):
    """What the responses to LISTs and watches of an optional kind say about the access to it."""

    def record_refusal(self, plural: str, status: int) -> None:
        """Record that a LIST or a watch of the kind was answered with HTTP 403 or 404."""

    def record_watch(self, plural: str) -> None:
        """Record that the API server has accepted a watch of the kind."""


class OptionalWatches:
    """An aiohttp middleware through which kopf survives that an optional kind is not served or forbidden.

    kopf ends all watches when one of them is answered with HTTP 404, and logs each HTTP 403. Instead, it gets an error
    of the connection after 20 s, and then starts again with a LIST.
    """

    def __init__(self, access: WatchAccess, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._access = access
        self._sleep = sleep

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send the request. Raises `aiohttp.ClientPayloadError` 20 s after a refusal of an optional kind."""
        response = await handler(request)
        kind = optional_kind_of_path(request.url.path)
        if kind is None:
            return response
        if response.status in (FORBIDDEN, NOT_FOUND):
            response.close()
            self._access.record_refusal(kind.plural, response.status)
            await self._sleep(RETRY_SECONDS)
            raise aiohttp.ClientPayloadError(f"GET {request.url.path}: HTTP {response.status}")
        if response.status == 200 and request.url.query.get("watch") == "true":
            self._access.record_watch(kind.plural)
        return response
