"""HTTP responses of the API server that take little memory, however large the objects in them are.

The objects of kopf's LISTs and watches go straight from the text of the response to the informer cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final

import aiohttp
import msgspec

from sluice_contract.json_nesting import JSONText

from ..domain.optional_kinds import API_PATH, with_optional_kinds
from ..domain.reduced_documents import (
    EXPIRED,
    OBJECT_CHANGES,
    AnyReducedKind,
    decode_list_page,
    decode_watch_event,
    reduced_kind_of_path,
    watch_line_without_object,
)
from .buffered_responses import DocumentResponse
from .decoding import DECODING_ERRORS
from .page_turn import PageTurn

DAMAGED_LINE_SECONDS: Final = 1.0

_GONE: Final = 410
_encode: Final = msgspec.json.Encoder().encode
# Takes a kind, the type of the event (None for an object of a LIST) and the text of the object. Returns its
# resourceVersion. Raises `msgspec.DecodeError` if the text is not JSON. The type EXPIRED has no text.
Deliver = Callable[[AnyReducedKind, str | None, JSONText], str]


def ignore_sign(_plural: str) -> None:
    """Ignore that the watch of a kind works."""


def create_delivering_response_class(
    page_turn: PageTurn, deliver: Deliver, record_sign: Callable[[str], None] = ignore_sign
) -> type[aiohttp.ClientResponse]:
    """Return the class of kopf's responses, which deliver each job, pod and pause before kopf sees it.

    kopf gets pages without objects, and a bookmark in place of each event, so that it continues a watch where it was
    broken off. `page_turn` is taken while a page of a LIST is in memory. `record_sign` gets the plural of a kind
    whenever its watch begins, and with each of its lines.
    """

    class DeliveringResponse(DocumentResponse):
        """A response whose jobs, pods and pauses are delivered. All other responses are unchanged."""

        async def start(self, connection: Any) -> aiohttp.ClientResponse:
            """Read the headers. The content of a watch is then a stream of lines without objects."""
            await super().start(connection)
            kind = reduced_kind_of_path(self.url.path)
            if self.status == _GONE and "continue" in self.url.query:
                raise aiohttp.ClientPayloadError("a LIST expired before its last page; it starts again")
            if kind is not None and self.status == 200 and self.url.query.get("watch") == "true":
                record_sign(kind.plural)
                replace = partial(_deliver_event, kind, deliver, record_sign)
                self.content = LinesWithoutObjects(self.content, replace)  # type: ignore[assignment]
            return self

        async def json(self, **arguments: Any) -> Any:
            """Return the decoded body, and a page of a LIST without its objects, which are delivered.

            The list of the kinds of Sluice's group names each optional kind, also one that is not served.
            """
            if self.status == 200 and self.url.path == API_PATH:
                return with_optional_kinds(await super().json(**arguments))
            kind = reduced_kind_of_path(self.url.path)
            if kind is None or self.status != 200:
                return await super().json(**arguments)
            async with page_turn.take():
                try:
                    page = _deliver_page(kind, deliver, await self.read())
                except DECODING_ERRORS as error:
                    raise _not_understood(f"GET {self.url.path}", error) from error
                finally:
                    self._body = b""  # kopf keeps the response for longer than its text is needed
                return page

    return DeliveringResponse


def _deliver_page(kind: AnyReducedKind, deliver: Deliver, text: bytes) -> dict[str, Any]:
    """Deliver the objects of a page of a LIST. Return the page without them."""
    page = decode_list_page(text)
    for item in page.items or ():
        deliver(kind, None, item)
    return {"apiVersion": page.api_version, "kind": page.kind, "metadata": page.metadata, "items": []}


def _deliver_event(kind: AnyReducedKind, deliver: Deliver, record_sign: Callable[[str], None], line: bytes) -> bytes:
    """Deliver the object of a line of a watch. Return the line that kopf gets in its place."""
    record_sign(kind.plural)
    event = decode_watch_event(line)
    if event.type == "ERROR":  # kopf then lists the objects, and so does not learn which ones are gone
        deliver(kind, EXPIRED, b"")
    if event.type not in OBJECT_CHANGES:
        return watch_line_without_object(event, line)
    version = deliver(kind, event.type, event.object)
    return _encode({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}})


class LinesWithoutObjects:
    """The stream of a watch, which yields lines without objects. All else is passed on to the original stream."""

    def __init__(
        self,
        stream: aiohttp.StreamReader,
        replace: Callable[[bytes], bytes],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._stream = stream
        self._replace = replace
        self._sleep = sleep

    def __getattr__(self, name: str) -> Any:
        """Return the attribute of the original stream."""
        return getattr(self._stream, name)

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """Yield one replaced line after the other, each with its end of line.

        Raises `aiohttp.ClientPayloadError` a second after a line that is not the JSON text of a watch event. kopf then
        opens a new watch, at once.
        """
        async for line in split_lines(self._stream.iter_any()):
            try:
                replaced = self._replace(line)
            except DECODING_ERRORS as error:
                await self._sleep(DAMAGED_LINE_SECONDS)
                raise _not_understood("a line of a watch", error) from error
            del line
            yield replaced + b"\n"


async def split_lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of a stream without their ends. Empty lines, and a last line without an end, are left out."""
    buffer, searched = bytearray(), 0
    async for part in parts:
        buffer += part
        while (end := buffer.find(b"\n", searched)) >= 0:
            line = bytes(memoryview(buffer)[:end])
            del buffer[: end + 1]
            searched = 0
            if line:
                yield line
        searched = len(buffer)


def _not_understood(what: str, error: Exception) -> aiohttp.ClientPayloadError:
    return aiohttp.ClientPayloadError(f"{what}: the API server sent a text that is not understood, {error}")
