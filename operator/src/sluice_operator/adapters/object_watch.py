"""LISTs and watches of the objects of one kind in the whole cluster, without kopf.

kopf watches the kinds without which the operator cannot work. A watch of kopf that is refused, or whose kind is not
served, ends the process; these kinds may be absent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Generic, TypeVar

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.config.config_exception import ConfigException

from sluice_contract.json_nesting import JSONText

from ..domain.reduced_documents import OBJECT_CHANGES, decode_watch_event
from ..ports import ListExpired, Unavailable
from .access import ReadOnlyMiddleware, create_read_only_session
from .api import raise_cluster_error
from .decoding import DECODING_ERRORS
from .delivering_responses import split_lines
from .paged_lists import PagedLists
from .retry_after import retry_after_seconds

T = TypeVar("T")
OpenWatch = Callable[[str, Mapping[str, str]], AbstractAsyncContextManager[aiohttp.ClientResponse]]

_WATCH_SECONDS: Final = 290
# The API server sends a bookmark about once a minute, so a watch that is silent for longer is dead.
_WATCH: Final = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=70.0)


class KubernetesObjectWatch(Generic[T]):
    """The implementation of `ports.ObjectSource` for one kind."""

    def __init__(
        self,
        lists: PagedLists,
        open_watch: OpenWatch,
        path: str,
        decode: Callable[[JSONText], T],
        query: Mapping[str, str] | None = None,
    ) -> None:
        """`path` is that of the kind, and `query` restricts its objects.

        `decode` raises `msgspec.DecodeError` for a text that is not JSON.
        """
        self._lists = lists
        self._open_watch = open_watch
        self._path = path
        self._decode: Callable[[JSONText], T] = decode
        self._query = dict(query or {})

    async def list_objects(self) -> tuple[list[T], str]:
        """Return all objects and the resourceVersion at which a watch continues. Raises `ClusterError`."""
        listed = await self._lists.read_all_pages(self._path, self._query, self._decode)
        return listed.objects, listed.resource_version

    async def watch_objects(self, resource_version: str) -> AsyncIterator[tuple[str, T]]:
        """Yield each change (ADDED, MODIFIED or DELETED) and its object until the API server ends the watch.

        Raises `ClusterError` if the watch is refused or fails.
        """
        options = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(_WATCH_SECONDS)}
        query = {**self._query, **options, "resourceVersion": resource_version}
        try:
            async with self._open_watch(self._path, query) as response:
                if response.status >= 300:
                    wait = retry_after_seconds(response.headers)
                    raise_cluster_error(response.status, await response.read(), wait)
                async for line in split_lines(response.content.iter_any()):
                    event = decode_watch_event(line)
                    if event.type == "ERROR":
                        raise ListExpired(f"the watch ended: {bytes(event.object)[:200]!r}")
                    if event.type in OBJECT_CHANGES:
                        yield event.type, self._decode(event.object)
        except (aiohttp.ClientError, TimeoutError, OSError, ConfigException, *DECODING_ERRORS) as error:
            raise Unavailable(f"the watch of {self._path} failed: {error!r}") from error


def watch_opener(client: ApiClient) -> OpenWatch:
    """Return a function that sends a GET request with the address and the credentials of a client.

    It takes the path and the query, and yields the response. Each watch has a connection of its own.
    """

    @asynccontextmanager
    async def open_watch(path: str, query: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        read_only = ReadOnlyMiddleware(lambda: None)
        url = client.configuration.host + path
        async with (
            create_read_only_session(client, read_only, connections=1) as session,
            session.get(url, params=query, timeout=_WATCH) as response,
        ):
            yield response

    return open_watch
