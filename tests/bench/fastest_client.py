"""The limit of the throughput bench: the fastest websocket client in Python that reads the same transport.

It decodes each frame in the buffer into which asyncio reads, and counts the quotes. It checks nothing, keeps nothing
and answers nothing: no control frames, no fragments, no other messages, no flow control, no errors.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sluice_runtime.providers.alpaca.messages import QuoteMessage, TradeMessage

_BUFFER_BYTES = 128 << 10
_NO_MASK = bytes(4)


class FastestClient(asyncio.BufferedProtocol):
    """Reads binary frames of less than 64 KiB, until the connection ends. `count` is the number of quotes."""

    def __init__(self, *, with_trades: bool) -> None:
        types: Any = list[QuoteMessage | TradeMessage] if with_trades else list[QuoteMessage]
        self.count = 0
        self.ended = asyncio.Event()
        self._decode: Callable[[memoryview], list[Any]] = msgspec.msgpack.Decoder(types).decode
        self._with_trades = with_trades
        self._buffer = bytearray(_BUFFER_BYTES + 4)  # room for a header that has not arrived
        self._view = memoryview(self._buffer)[:_BUFFER_BYTES]
        self._kept_bytes = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view[self._kept_bytes :]

    def buffer_updated(self, nbytes: int) -> None:
        data, view, decode = self._buffer, self._view, self._decode
        position, stop = 0, self._kept_bytes + nbytes
        while position < stop:
            start, length = position + 2, data[position + 1]
            if length == 126:
                start, length = position + 4, data[position + 2] << 8 | data[position + 3]
            end = start + length
            if end > stop:
                break
            messages = decode(view[start:end])
            self.count += [*map(type, messages)].count(QuoteMessage) if self._with_trades else len(messages)
            position = end
        self._kept_bytes = stop - position
        view[: self._kept_bytes] = bytes(view[position:stop])

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def subscribe(
    client: FastestClient, url: str, channels: Sequence[str], symbols: Sequence[str]
) -> asyncio.StreamWriter:
    """Open the websocket, log in and subscribe. The client gets all that the server sends after that.

    The connection ends when the returned writer is deleted.
    """
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "wss" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=tls)
    head = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    head += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Content-Type: application/msgpack"]
    writer.write("\r\n".join([f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", *head, "", ""]).encode())
    await reader.readuntil(b"\r\n\r\n")
    await _read_frame(reader)
    for message in (
        {"action": "auth", "key": "key", "secret": "secret"},
        {"action": "subscribe", **dict.fromkeys(channels, symbols)},
    ):
        content = msgspec.msgpack.encode(message)
        writer.write(b"\x82\xfe" + len(content).to_bytes(2, "big") + _NO_MASK + content)
        await _read_frame(reader)
    writer.transport.set_protocol(client)
    return writer


async def _read_frame(reader: asyncio.StreamReader) -> None:
    length = (await reader.readexactly(2))[1]
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    await reader.readexactly(length)
