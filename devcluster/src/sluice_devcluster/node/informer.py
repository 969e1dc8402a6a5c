"""An informer: a list and a watch that together report every object of a collection and its latest state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json

LOGGER = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
# Called with each object that is new or changed, and False; or with a deleted object, and True.
Handler = Callable[[Json, bool], None]


class Informer:
    """Calls a handler for each change in a collection; lists the collection again if the watch fails."""

    def __init__(self, client: ApiClient, path: str, params: Mapping[str, str], handler: Handler) -> None:
        """Watch the collection at `path` with the query `params`, such as a fieldSelector."""
        self._client = client
        self._path = path
        self._params = dict(params)
        self._handler = handler
        self._known: dict[str, Json] = {}
        self._version = ""

    async def run(self) -> None:
        """List and watch until cancelled; log failures and try again after half a second."""
        while True:
            try:
                if not self._version:
                    await self._relist()
                await self._watch_changes()
            except ApiError as error:
                self._version = ""
                LOGGER.warning("watch of %s failed, listing again: %s", self._path, error)
                await asyncio.sleep(RETRY_SECONDS)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                # The resourceVersion can be too old when the server is back, so list the collection again.
                self._version = ""
                LOGGER.warning("watch of %s failed, listing again: %s", self._path, error or type(error).__name__)
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
