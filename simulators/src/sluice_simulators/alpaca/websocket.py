"""The server's end of one connection, below the protocol: frames, silence, stalls and the ways to end it."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence

from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from sluice_simulators.alpaca.encoding import BINARY, TEXT, Codec
from sluice_simulators.alpaca.messages import Message, error_message, now, quote_message
from sluice_simulators.alpaca.record import CLIENT, LOST, SERVER
from sluice_simulators.alpaca.subscription import EVERYTHING, Subscription
from sluice_simulators.tapes import TapeQuote

ABNORMAL = 1006
RESET = struct.pack("ii", 1, 0)


class ServerWebSocket:
    """Sends what it is told to, well-formed or not; knows how the connection ended and by whom."""

    def __init__(self, socket_: web.WebSocketResponse, transport: asyncio.Transport, codec: Codec) -> None:
        """`socket_` is prepared before anything is sent."""
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
        """Completes the upgrade."""
        self._writer = await self._socket.prepare(request)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._socket.closed or self._transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the client has not read and the kernel has no room for."""
        return self._transport.get_write_buffer_size()

    @property
    def is_compressed(self) -> bool:
        """Whether permessage-deflate was negotiated."""
        return bool(self._socket.compress)

    async def send_control(self, message: Message) -> None:
        """A control message: always an array of one."""
        if not self.muted:
            await self.send_messages([message])

    async def send_messages(self, messages: Sequence[Message]) -> None:
        """One frame of messages."""
        await self.send_payload(self.codec.encode(messages))

    async def send_payload(self, payload: bytes, opcode: int | None = None) -> None:
        """One frame of any bytes, in the codec's opcode unless told otherwise."""
        if not self.is_closed:
            await self._socket.send_frame(payload, WSMsgType(opcode or self.codec.opcode))

    def write_raw(self, raw: bytes) -> None:
        """Bytes as they are, past the WebSocket layer."""
        if not self.is_closed:
            self._transport.write(raw)

    async def drain(self) -> None:
        """Waits until the client has read enough for more to be written; returns if it has gone."""
        if self._writer is not None and not self.is_closed:
            try:
                await self._writer.drain()
            except ConnectionError:
                return

    def sample_quote(self, symbol: str | None = None) -> Message:
        """A plausible quote stamped now, of the symbol or else of the first one subscribed."""
        names = sorted(self.subscription.quote_symbols - {EVERYTHING})
        return quote_message(TapeQuote(0, symbol or next(iter(names), "AAPL"), 100.0, 200, 100.02, 300), now())

    async def close(self, code: int, reason: str = "") -> None:
        """A close handshake begun by the server; returns when the client has answered or had its time."""
        if self._socket.closed:
            return
        self.side, self.code = SERVER, code
        self._finished.clear()
        try:
            await self._socket.close(code=code, message=reason.encode())
        finally:
            self._finished.set()

    async def answer_close(self, code: int) -> None:
        """Answers the client's close; a deaf wire does not, and waits for the client to hang up."""
        self.side, self.code = CLIENT, code
        if not self.unresponsive:
            await self._socket.close(code=code)
        # A deaf wire reads on, and aiohttp has no event for the transport's end that a handler could wait for.
        while self.unresponsive and not self._transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def answer_ping(self, data: bytes) -> None:
        """A pong, unless the wire is deaf."""
        if not self.unresponsive and not self.is_closed:
            await self._socket.pong(data)

    async def drop_slow_client(self, *, send_error: bool = True) -> None:
        """Error 407 (not guaranteed to arrive, as documented) and no close handshake."""
        if send_error:
            await self.send_control(error_message(407))
        self.hang_up()

    def reset(self) -> None:
        """RST: the client sees a connection reset (close code 1006)."""
        if not self._transport.is_closing():
            self.side, self.code = SERVER, ABNORMAL
            plain: socket.socket = self._transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    def hang_up(self) -> None:
        """FIN after what is buffered, without a close frame (close code 1006)."""
        if not self._transport.is_closing():
            self.side, self.code = SERVER, ABNORMAL
            self._transport.close()

    def abort(self) -> None:
        """Drops what is left, sent or not, so that a client that has stopped reading cannot hold the server up."""
        self._transport.abort()

    def stall_reading(self, seconds: float) -> None:
        """Stops reading for a while; the client's writes fill the socket and then wait."""
        if not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(seconds, self._resume_reading)

    async def receive_data(self, on_ping: Callable[[], None]) -> bytes | str | None:
        """The client's next message, fragments joined; None when the connection is over."""
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
    """The opcode a client's message came with."""
    return TEXT if isinstance(data, str) else BINARY
