"""The login handler of kopf, which gives it sessions that only read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import kopf
from kubernetes.aio.client.api_client import ApiClient

from .adapters.access import ReadOnlyMiddleware, create_read_only_session
from .adapters.optional_watches import OptionalWatches, WatchAccess
from .adapters.page_turn import PageTurn
from .adapters.reduced_responses import create_reduced_response_class, ignore_sign
from .adapters.throttled_requests import ThrottledRequests

LOGIN_EVERY_SECONDS: Final = 5.0  # a token that is refused for a long time must not cause a loop of logins
CONNECTIONS: Final = 100


class KopfLogin:
    """Returns a new read-only session with each call, at most once every 5 s."""

    def __init__(
        self,
        api_client: ApiClient,
        count_refused_write: Callable[[], object],
        page_turn: PageTurn,
        access: WatchAccess,
        record_sign: Callable[[str], None] = ignore_sign,
    ) -> None:
        """`count_refused_write` is called for each write that kopf attempts.

        `page_turn` is taken while a page of a LIST is in memory. `access` gets the results of optional watches,
        and `record_sign` the plural of each kind whose watch shows that it works.
        """
        self._api_client = api_client
        self._read_only = ReadOnlyMiddleware(count_refused_write)
        self._response_class = create_reduced_response_class(page_turn, record_sign)
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
