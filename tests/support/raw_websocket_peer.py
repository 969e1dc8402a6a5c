"""A server that upgrades connections to websockets by itself, and sends the bytes that a test gives it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE = 0x88
CLOSE_FRAME = bytes([_CLOSE, 2]) + (1000).to_bytes(2, "big")


class RawWebSocketPeer:
    """Accepts one websocket. `received` has all bytes after the upgrade request.

    `with_upgrade` is sent in one write with the response to the upgrade request, `after_first_frame` after the first
    frame of the client. Unless `is_unresponsive`, the peer answers a close frame.
    """

    def __init__(self, with_upgrade: bytes = b"", after_first_frame: bytes = b"") -> None:
        self.received = b""
        self.is_unresponsive = False
        self.ended = asyncio.Event()
        self.has_data = asyncio.Event()
        self._with_upgrade = with_upgrade
        self._after_first_frame = after_first_frame
        self._writer: asyncio.StreamWriter | None = None

    @property
    def received_frames(self) -> list[int]:
        """The first byte of each frame of the client. No payload may have more than 125 bytes."""
        found, rest = [], self.received
        while rest:
            found.append(rest[0])
            rest = rest[6 + (rest[1] & 0x7F) :]  # two bytes of the header, and the mask
        return found

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Listen while the context lasts, and return the URL of the stream."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            port = server.sockets[0].getsockname()[1]
            yield f"{'wss' if tls else 'ws'}://localhost:{port}/v2/iex"

    async def send(self, data: bytes) -> None:
        """Send bytes to the client. Waits while the client does not read."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Close the connection without a close frame, after the bytes that were sent."""
        assert self._writer is not None
        self._writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()  # noqa: S324  of the protocol
        answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        answer.append(f"Sec-WebSocket-Accept: {accept}")
        writer.write("\r\n".join([*answer, "", ""]).encode() + self._with_upgrade)
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65_536):
                    if not self.received:
                        writer.write(self._after_first_frame)
                    self.received += data
                    self.has_data.set()
                    if _CLOSE in self.received_frames and not self.is_unresponsive:
                        writer.write(CLOSE_FRAME)
        finally:
            writer.close()
            self.ended.set()
