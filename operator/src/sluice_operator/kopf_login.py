"""The login handler of kopf, which gives it sessions that only read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import aiohttp
import kopf
from kubernetes.aio.client.api_client import ApiClient

from .adapters.access import ReadOnlyMiddleware, create_read_only_session
from .adapters.optional_watches import OptionalWatches, WatchAccess
from .adapters.throttled_requests import ThrottledRequests

LOGIN_EVERY_SECONDS: Final = 5.0  # a token that is refused for a long time must not cause a loop of logins
CONNECTIONS: Final = 100


class KopfLogin:
    """Returns a new read-only session with each call, at most once every 5 s."""

    def __init__(
        self,
        api_client: ApiClient,
        count_refused_write: Callable[[], object],
        response_class: type[aiohttp.ClientResponse],
        access: WatchAccess,
    ) -> None:
        """`count_refused_write` is called for each write that kopf attempts.

        `response_class` is that of the responses, and `access` gets the results of optional watches.
        """
        self._api_client = api_client
        self._read_only = ReadOnlyMiddleware(count_refused_write)
        self._response_class = response_class
        self._middlewares = (OptionalWatches(access), ThrottledRequests())
        self._last_at = float("-inf")

    async def __call__(self) -> kopf.AiohttpSession:
        """Return a session with the credentials of the client."""
        await asyncio.sleep(max(0.0, self._last_at + LOGIN_EVERY_SECONDS - time.monotonic()))
        self._last_at = time.monotonic()
        session = create_read_only_session(
            self._api_client, self._read_only, CONNECTIONS, self._response_class, self._middlewares
        )
        return kopf.AiohttpSession(server=self._api_client.configuration.host, aiohttp_session=session)
