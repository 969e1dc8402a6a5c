"""A WebSocket server that stops answering."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgpack


class SilentPeer:
    """Speaks the protocol up to `phase` and then only listens: it answers neither a ping nor a close frame."""

    PHASES = ("upgrade", "welcome", "login", "acknowledgement", "quotes")

    def __init__(self, phase: str) -> None:
        self.open = 0
        self.reached = asyncio.Event()
        self._answers = self.PHASES.index(phase)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with listener:
            yield "ws://{}:{}/v2/iex".format(*listener.sockets[0].getsockname())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if self._answers > 0:
                writer.write(_upgraded(request))
            messages = ({"T": "success", "msg": "connected"}, {"T": "success", "msg": "authenticated"})
            for message in [*messages, {"T": "subscription", "quotes": ["AAPL"]}][: max(0, self._answers - 1)]:
                payload = msgpack.packb([message])
                writer.write(bytes((0x82, len(payload))) + payload)
                await asyncio.sleep(0.1)
            self.reached.set()
            with suppress(ConnectionError):
                while await reader.read(4096):
                    pass
        finally:
            self.open -= 1
            writer.close()


def _upgraded(request: bytes) -> bytes:
    key = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    digest = hashlib.sha1(key.split(b":")[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False)
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    return head + base64.b64encode(digest.digest()) + b"\r\n\r\n"
