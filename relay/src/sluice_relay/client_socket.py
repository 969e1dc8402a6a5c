"""The WebSocket of one client, which knows when the client's library has read what was sent."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from .protocol.encoding import TEXT, Codec

_REQUEST_BYTES: Final = 4 << 20  # a subscription of 100,000 symbols


class ClientSocket:
    """The WebSocket of one client."""

    def __init__(self, codec: Codec) -> None:
        """Call `open` before anything else."""
        self.codec = codec
        self.is_half_open = False
        # Without compression: most clients run in the same cluster, where it costs more time than it saves.
        self._response = web.WebSocketResponse(
            timeout=1.0, autoclose=False, autoping=False, compress=False, max_msg_size=_REQUEST_BYTES
        )
        self._transport: asyncio.Transport | None = None
        self._writer: AbstractStreamWriter | None = None
        self._pings = 0
        self._last_pong = 0
        self._pong_received = asyncio.Event()

    async def open(self, request: web.Request) -> web.WebSocketResponse:
        """Answer the upgrade request, and return the response for aiohttp.

        Raises:
            ConnectionResetError: the client has disconnected.
        """
        if not isinstance(request.transport, asyncio.Transport):
            raise ConnectionResetError("the client has disconnected")
        self._transport = request.transport
        self._writer = await self._response.prepare(request)
        return self._response

    async def send_frame(self, payload: bytes) -> None:
        """Send one frame, and return when less than the transport's limit is unsent."""
        if not self.is_half_open and not self._response.closed:
            await self._response.send_frame(payload, WSMsgType(self.codec.opcode))
            if self._writer is not None:
                await self._writer.drain()

    async def send_frame_and_wait_until_read(self, payload: bytes, within: float) -> None:
        """Send one frame and a ping, and return when the client has answered the ping.

        Raises:
            TimeoutError: the client has not answered within this number of seconds.
        """
        await self.send_frame(payload)
        if self.is_half_open or self._response.closed:
            return
        self._pings += 1
        await self._response.ping(self._pings.to_bytes(4, "big"))
        async with asyncio.timeout(within):
            while self._last_pong < self._pings:
                self._pong_received.clear()
                await self._pong_received.wait()

    async def receive_request(self) -> object:
        """Return the next decoded message of the client, or None if it is not one.

        Raises:
            EOFError: the connection has ended.
        """
        while True:
            message = await self._response.receive()
            match message.type:
                case WSMsgType.BINARY | WSMsgType.TEXT:
                    return self._decode(message.data)
                case WSMsgType.PONG:
                    self._note_pong(message.data)
                case WSMsgType.PING:
                    if not self.is_half_open:
                        await self._response.pong(message.data)
                case WSMsgType.CLOSE if not self.is_half_open:
                    await self._response.close(code=message.data or 1000)
                    raise EOFError
                case WSMsgType.CLOSE:
                    await self._wait_until_gone()
                    raise EOFError
                case _:
                    raise EOFError

    async def close(self, code: int) -> None:
        """Close the connection with a close frame."""
        await self._response.close(code=code)

    def abort(self) -> None:
        """End the connection without a close frame, and discard what is unsent."""
        if self._transport is not None:
            self._transport.abort()

    def hang_up(self) -> None:
        """End the connection without a close frame, after what is unsent if the kernel takes it now."""
        if self._transport is not None:
            has_unsent = self._transport.get_write_buffer_size() > 0
            (self._transport.abort if has_unsent else self._transport.close)()

    def _note_pong(self, data: bytes) -> None:
        if len(data) == 4:
            self._last_pong = max(self._last_pong, int.from_bytes(data, "big"))
            self._pong_received.set()

    def _decode(self, data: bytes | str) -> object:
        is_text = isinstance(data, str)
        if is_text != (self.codec.opcode == TEXT):
            return None
        try:
            return self.codec.decode(data.encode() if isinstance(data, str) else data)
        except Exception:  # msgpack raises exceptions of its own; the client gets a syntax error for each
            return None

    async def _wait_until_gone(self) -> None:
        while self._transport is not None and not self._transport.is_closing():  # noqa: ASYNC110  a transport has no event
            await asyncio.sleep(0.1)
