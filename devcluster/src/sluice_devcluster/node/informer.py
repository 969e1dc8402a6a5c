"""A list and a watch that together never miss a change for good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json

LOGGER = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
# Called with each object that appeared or changed, and with True for each that is gone.
Handler = Callable[[Json, bool], None]


class Informer:
    """Follows a collection for ever, telling a handler; relists when the server has forgotten the version."""

    def __init__(self, client: ApiClient, path: str, params: Mapping[str, str], handler: Handler) -> None:
        """Follows `path` with the query `params`, such as a fieldSelector."""
        self._client = client
        self._path = path
        self._params = dict(params)
        self._handler = handler
        self._known: dict[str, Json] = {}
        self._version = ""

    async def run(self) -> None:
        """Follows until cancelled; failures are logged and retried after half a second."""
        while True:
            try:
                if not self._version:
                    await self._relist()
                await self._watch_changes()
            except ApiError as error:
                self._version = ""
                LOGGER.warning("%s: %s", self._path, error)
                await asyncio.sleep(RETRY_SECONDS)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                # The version may be too old by the time that the server is back: a new list is always right.
                self._version = ""
                LOGGER.warning("%s: %s", self._path, error or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _relist(self) -> None:
        listed = await self._client.get(self._path, self._params)
        items = {str(item["metadata"]["uid"]): item for item in listed["items"]}
        for uid in [uid for uid in self._known if uid not in items]:
            self._handler(self._known.pop(uid), True)
        for uid, item in items.items():
            self._known[uid] = item
            self._handler(item, False)
        self._version = str(listed["metadata"]["resourceVersion"])

    async def _watch_changes(self) -> None:
        params = {**self._params, "resourceVersion": self._version}
        async for event in self._client.watch(self._path, params):
            item = event["object"]
            if event["type"] == "ERROR":
                raise ApiError(item.get("code", 0), item.get("reason", ""), item.get("message", ""))
            self._version = str(item["metadata"]["resourceVersion"])
            if event["type"] == "BOOKMARK":
                continue
            uid = str(item["metadata"]["uid"])
            gone = event["type"] == "DELETED"
            if gone:
                self._known.pop(uid, None)
            else:
                self._known[uid] = item
            self._handler(item, gone)
