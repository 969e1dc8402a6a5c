"""A TCP server that records what it receives, and answers each HTTP request with the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class RawHTTPPeer:
    """`received` has every byte of every connection, and `connections` is their number.

    A connection is closed after its `answer`. Without one, the peer only listens.
    """

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.received = b""
        self.connections = 0
        self.address = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[RawHTTPPeer]:
        """Listen on a free port of 127.0.0.1 while the context lasts. `address` is its host:port."""
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = "{}:{}".format(*listener.sockets[0].getsockname())
        async with listener:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65_536):
                    self.received += data
                    if self.answer and b"\r\n\r\n" in self.received:
                        writer.write(self.answer)
                        await writer.drain()
                        break
        finally:
            writer.close()


def http_answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of an HTTP response. The connection closes after it."""
    fields = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Given\r\n{head}\r\n".encode() + body
