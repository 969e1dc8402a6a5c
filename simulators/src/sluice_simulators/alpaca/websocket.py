"""The server's end of one WebSocket: sending, receiving, stalling, and the ways to end the connection."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence

from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from sluice_relay.protocol.encoding import BINARY, TEXT, Codec
from sluice_relay.protocol.messages import Message, error_message, now
from sluice_relay.protocol.subscription import EVERYTHING, Subscription
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.alpaca.record import CLIENT, LOST, SERVER
from sluice_simulators.tapes import TapeQuote

ABNORMAL = 1006
RESET = struct.pack("ii", 1, 0)


class ServerWebSocket:
    """The server's end of one WebSocket; it also sends malformed frames, and knows which side ended the connection.

    While `muted`, it sends no data or control messages. While `unresponsive`, it answers neither pings nor a close.
    """

    def __init__(self, socket_: web.WebSocketResponse, transport: asyncio.Transport, codec: Codec) -> None:
        """Call `complete_upgrade` before sending anything."""
        self.codec = codec
        self.subscription = Subscription({})
        self.muted = False
        self.unresponsive = False
        self.side = LOST
        self.code = ABNORMAL
        self._socket = socket_
        self._transport = transport
        self._writer: AbstractStreamWriter | None = None
        self._finished = asyncio.Event()
        self._finished.set()

    async def complete_upgrade(self, request: web.Request) -> None:
        """Answer the upgrade request, which opens the WebSocket."""
        self._writer = await self._socket.prepare(request)

    @property
    def is_closed(self) -> bool:
        """True if the connection has ended, so that nothing more can be sent."""
        return self._socket.closed or self._transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """The number of bytes that wait in this process because the kernel's send buffer is full."""
        return self._transport.get_write_buffer_size()

    @property
    def is_compressed(self) -> bool:
        """True if client and server negotiated permessage-deflate."""
        return bool(self._socket.compress)

    async def send_control(self, message: Message) -> None:
        """Send a control message, alone in its array, unless the connection is muted."""
        if not self.muted:
            await self.send_messages([message])

    async def send_messages(self, messages: Sequence[Message]) -> None:
        """Send one frame with these messages."""
        await self.send_payload(self.codec.encode(messages))

    async def send_payload(self, payload: bytes, opcode: int | None = None) -> None:
        """Send one frame with any payload; the default opcode is that of the codec."""
        if not self.is_closed:
            await self._socket.send_frame(payload, WSMsgType(opcode or self.codec.opcode))

    def write_raw(self, raw: bytes) -> None:
        """Write bytes to the TCP connection as they are, without WebSocket framing."""
        if not self.is_closed:
            self._transport.write(raw)

    async def drain(self) -> None:
        """Wait until the client has read enough for more to be written; return if the client has gone."""
        if self._writer is not None and not self.is_closed:
            try:
                await self._writer.drain()
            except ConnectionError:
                return

    def sample_quote(self, symbol: str | None = None) -> Message:
        """Return a plausible quote, stamped now, of this symbol; without a symbol, of the first subscribed one."""
        names = sorted(self.subscription.quote_symbols - {EVERYTHING})
        return quote_message(TapeQuote(0, symbol or next(iter(names), "AAPL"), 100.0, 200, 100.02, 300), now())

    async def close(self, code: int, reason: str = "") -> None:
        """Start a close handshake; return when the client has answered or the timeout has passed."""
        if self._socket.closed:
            return
        self.side, self.code = SERVER, code
        self._finished.clear()
        try:
            await self._socket.close(code=code, message=reason.encode())
        finally:
            self._finished.set()

    async def answer_close(self, code: int) -> None:
        """Answer the client's close frame; if unresponsive, wait for the client to end the TCP connection instead."""
        self.side, self.code = CLIENT, code
        if not self.unresponsive:
            await self._socket.close(code=code)
        # aiohttp has no event for the end of the transport, so poll until the client ends the connection.
        while self.unresponsive and not self._transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def answer_ping(self, data: bytes) -> None:
        """Send a pong, unless the connection is unresponsive."""
        if not self.unresponsive and not self.is_closed:
            await self._socket.pong(data)

    async def drop_slow_client(self, *, send_error: bool = True) -> None:
        """Send error 407, if asked to, and end the connection without a close handshake.

        As Alpaca documents, the error is not guaranteed to reach the client.
        """
        if send_error:
            await self.send_control(error_message(407))
        self.hang_up()

    def reset(self) -> None:
        """Reset the TCP connection (RST): the client sees close code 1006."""
        if not self._transport.is_closing():
            self.side, self.code = SERVER, ABNORMAL
            plain: socket.socket = self._transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    def hang_up(self) -> None:
        """Send what is buffered, then a FIN without a close frame: the client sees close code 1006."""
        if not self._transport.is_closing():
            self.side, self.code = SERVER, ABNORMAL
            self._transport.close()

    def abort(self) -> None:
        """Discard unsent data and end the connection, so that a client that does not read cannot block the server."""
        self._transport.abort()

    def stall_reading(self, seconds: float) -> None:
        """Stop reading for this time; the client's writes fill the socket's buffers and then block."""
        if not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(seconds, self._resume_reading)

    async def receive_data(self, on_ping: Callable[[], None]) -> bytes | str | None:
        """Return the client's next message, with its fragments joined; None when the connection has ended."""
        while True:
            message = await self._socket.receive()
            if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
                data: bytes | str = message.data
                return data
            if message.type is WSMsgType.PING:
                on_ping()
                await self.answer_ping(message.data)
            elif message.type is WSMsgType.CLOSE:
                await self.answer_close(message.data)
                return None
            elif message.type is not WSMsgType.PONG:
                await self._finished.wait()
                return None

    def _resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()


def opcode_of(data: bytes | str) -> int:
    """Return the opcode of the frame in which a client's message arrived."""
    return TEXT if isinstance(data, str) else BINARY
