"""LISTs in pages, with at most one page in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import msgspec

from sluice_contract.json_nesting import JSONText

from ..domain.reduced_documents import decode_list_page
from ..ports import ListExpired
from .api import RequestSender
from .decoding import decoded_or_raise
from .page_turn import PageTurn

OBJECTS_IN_PAGE: Final = 50  # an object may have 1.5 MB, and a page is in memory as a whole
_MOST_RESTARTS: Final = 2  # of a LIST that expires before its last page

V = TypeVar("V")


class ListedObjects(msgspec.Struct, Generic[V], frozen=True):
    """The objects of a complete LIST."""

    objects: list[V]
    resource_version: str  # at which a watch continues


class PagedLists:
    """LISTs of the objects of a kind, in pages. A page is decoded before the next one is requested."""

    def __init__(self, api: RequestSender, page_turn: PageTurn | None = None, namespaces: tuple[str, ...] = ()) -> None:
        """`page_turn` is taken while a page of a LIST is in memory. An empty `namespaces` means all namespaces."""
        self._api = api
        self._page_turn = page_turn or PageTurn()
        self._namespaces = namespaces

    async def list_in_watched_namespaces(
        self, api_path: str, plural: str, query: Mapping[str, str], decode: Callable[[JSONText], V]
    ) -> list[V]:
        """Return all objects of a namespaced kind in the watched namespaces. `api_path` is that of the API group."""
        found: list[V] = []
        for namespace in self._namespaces or ("",):
            path = f"{api_path}/namespaces/{namespace}/{plural}" if namespace else f"{api_path}/{plural}"
            found += (await self.read_all_pages(path, query, decode)).objects
        return found

    async def read_all_pages(
        self, path: str, query: Mapping[str, str], decode: Callable[[JSONText], V]
    ) -> ListedObjects[V]:
        """Return all objects of a LIST. If it expires before its last page, start again, at most twice."""
        for _ in range(_MOST_RESTARTS):
            with contextlib.suppress(ListExpired):
                return await self._read_pages_once(path, query, decode)
        return await self._read_pages_once(path, query, decode)

    async def _read_pages_once(
        self, path: str, query: Mapping[str, str], decode: Callable[[JSONText], V]
    ) -> ListedObjects[V]:
        found: list[V] = []
        token, version = await self._read_page(path, query, decode, found)
        while token:
            token, version = await self._read_page(path, {**query, "continue": token}, decode, found)
        return ListedObjects(found, version)

    async def _read_page(
        self, path: str, query: Mapping[str, str], decode: Callable[[JSONText], V], found: list[V]
    ) -> tuple[str, str]:
        """Read a page and append its objects to `found`.

        Return the token of the next page, which is empty if this is the last, and the resourceVersion of the LIST. The
        next page is requested when only the decoded objects of this page are left in memory.
        """
        async with self._page_turn.take():
            answer = await self._api.send_request("GET", path, {**query, "limit": str(OBJECTS_IN_PAGE)})
            page = decoded_or_raise(f"GET {path}", answer, decode_list_page)
            for item in page.items or ():
                found.append(decoded_or_raise(f"GET {path}", item, decode))
                await asyncio.sleep(0)  # decoding an object may take a millisecond, so other tasks get a turn
            return page.continue_token, page.resource_version
