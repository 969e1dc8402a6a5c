"""A minimal client of the stream, for tests: it shows each frame as received, and neither reconnects nor recovers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgpack

from sluice_relay.protocol.encoding import MSGPACK, Codec

RECEIVE_SECONDS = 20.0
CONTENT_TYPES = {"msgpack": "application/msgpack", "json": "application/json"}


@dataclass(frozen=True)
class ClientOptions:
    """Connection options: `headers` in addition to Content-Type; `compress=15` offers permessage-deflate."""

    codec: Codec = MSGPACK
    headers: Mapping[str, str] = field(default_factory=dict)
    compress: int = 0
    autoping: bool = True
    tls: Any = True


class StreamClient:
    """One open connection to the server; each receive waits at most RECEIVE_SECONDS."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codec: Codec) -> None:
        """`socket` is connected; `codec` is the encoding that its upgrade request named."""
        self.socket = socket
        self._codec = codec

    async def send(self, message: object) -> None:
        """Send one message in the connection's encoding."""
        if self._codec is MSGPACK:
            await self.socket.send_bytes(msgpack.packb(message))
        else:
            await self.socket.send_json(message)

    async def receive_frame(self) -> aiohttp.WSMessage:
        """Return the next frame, of any type; raise TimeoutError if none arrives within RECEIVE_SECONDS."""
        message: aiohttp.WSMessage = await self.socket.receive(timeout=RECEIVE_SECONDS)
        return message

    async def receive_messages(self) -> list[dict[str, Any]]:
        """Return the messages of the next frame; raise AssertionError if it is not data in the right encoding."""
        frame = await self.receive_frame()
        kind = aiohttp.WSMsgType.BINARY if self._codec is MSGPACK else aiohttp.WSMsgType.TEXT
        assert frame.type is kind, frame
        decoded = self._codec.decode(frame.data)
        assert isinstance(decoded, list)
        return decoded

    async def receive_at_least(self, count: int) -> list[dict[str, Any]]:
        """Return the messages of as many frames as it takes to receive at least `count` messages."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            found += await self.receive_messages()
        return found

    async def is_silent(self, seconds: float = 0.05) -> bool:
        """Return True if the server sends nothing for this time; a frame that arrives is discarded."""
        try:
            await self.socket.receive(timeout=seconds)
        except TimeoutError:
            return True
        return False

    async def authenticate(self, key: str = "key", secret: str = "secret") -> dict[str, Any]:  # noqa: S107
        """Receive the welcome message, send the credentials and return the server's answer."""
        assert await self.receive_messages() == [{"T": "success", "msg": "connected"}]
        return await self.request({"action": "auth", "key": key, "secret": secret})

    async def request(self, message: object) -> dict[str, Any]:
        """Send a message and return the next message, which must be the only one in its frame."""
        await self.send(message)
        [answer] = await self.receive_messages()
        return answer

    async def subscribe(self, *symbols: str) -> dict[str, Any]:
        """Subscribe to the quotes of the symbols and return the server's answer."""
        return await self.request({"action": "subscribe", "quotes": list(symbols)})


@contextlib.asynccontextmanager
async def connect(url: str, options: ClientOptions | None = None) -> AsyncIterator[StreamClient]:
    """Connect to the stream's address; aiohttp's handshake errors propagate."""
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
    """Connect, authenticate and subscribe to the quotes of the symbols."""
    async with connect(url, options) as client:
        await client.authenticate()
        await client.subscribe(*symbols)
        yield client
