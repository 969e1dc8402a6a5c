"""A plain client of the stream, which shows what is on the wire; it has none of a real client's care."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgpack

from sluice_simulators.alpaca.encoding import MSGPACK, Codec

CONTENT_TYPES = {"msgpack": "application/msgpack", "json": "application/json"}


@dataclass(frozen=True)
class ClientOptions:
    """How to connect: `headers` besides Content-Type, `compress` 15 to offer permessage-deflate."""

    codec: Codec = MSGPACK
    headers: Mapping[str, str] = field(default_factory=dict)
    compress: int = 0
    autoping: bool = True
    tls: Any = True


class StreamClient:
    """One connection; every wait is bounded by 2 s."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codec: Codec) -> None:
        """Connected."""
        self.socket = socket
        self._codec = codec

    async def send(self, message: object) -> None:
        """Sends one message in the connection's encoding."""
        if self._codec is MSGPACK:
            await self.socket.send_bytes(msgpack.packb(message))
        else:
            await self.socket.send_json(message)

    async def receive_frame(self) -> aiohttp.WSMessage:
        """The next frame, of any kind."""
        message: aiohttp.WSMessage = await self.socket.receive(timeout=2)
        return message

    async def receive_messages(self) -> list[dict[str, Any]]:
        """The messages of the next frame; raises AssertionError if that is not data in the right encoding."""
        frame = await self.receive_frame()
        kind = aiohttp.WSMsgType.BINARY if self._codec is MSGPACK else aiohttp.WSMsgType.TEXT
        assert frame.type is kind, frame
        decoded = self._codec.decode(frame.data)
        assert isinstance(decoded, list)
        return decoded

    async def receive_at_least(self, count: int) -> list[dict[str, Any]]:
        """So many messages, from as many frames as it takes."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            found += await self.receive_messages()
        return found

    async def is_silent(self, seconds: float = 0.05) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.socket.receive(timeout=seconds)
        except TimeoutError:
            return True
        return False

    async def authenticate(self, key: str = "key", secret: str = "secret") -> dict[str, Any]:  # noqa: S107
        """Reads the welcome, authenticates and returns the answer."""
        assert await self.receive_messages() == [{"T": "success", "msg": "connected"}]
        return await self.request({"action": "auth", "key": key, "secret": secret})

    async def request(self, message: object) -> dict[str, Any]:
        """Sends a message and returns the one that comes next, alone in its array."""
        await self.send(message)
        [answer] = await self.receive_messages()
        return answer

    async def subscribe(self, *symbols: str) -> dict[str, Any]:
        """Subscribes to quotes and returns the answer."""
        return await self.request({"action": "subscribe", "quotes": list(symbols)})


@contextlib.asynccontextmanager
async def connect(url: str, options: ClientOptions | None = None) -> AsyncIterator[StreamClient]:
    """A connection to a stream's address; raises aiohttp's errors of the handshake."""
    chosen = options or ClientOptions()
    headers = {"Content-Type": CONTENT_TYPES[chosen.codec.name], **chosen.headers}
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=chosen.tls)) as session,
        session.ws_connect(
            url,
            headers=headers,
            compress=chosen.compress,
            autoping=chosen.autoping,
            timeout=aiohttp.ClientWSTimeout(ws_close=0.2),
            max_msg_size=64 << 20,
        ) as socket,
    ):
        yield StreamClient(socket, chosen.codec)


@contextlib.asynccontextmanager
async def connect_and_subscribe(
    url: str, *symbols: str, options: ClientOptions | None = None
) -> AsyncIterator[StreamClient]:
    """A connection that is authenticated and subscribed to quotes of the symbols."""
    async with connect(url, options) as client:
        await client.authenticate()
        await client.subscribe(*symbols)
        yield client
