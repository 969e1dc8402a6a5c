"""Faults of a subscribed connection: silence, closes, and frames that are not arrays of messages."""

from sluice_relay.protocol.encoding import TEXT, other_codec, websocket_frame
from sluice_simulators.alpaca.batches import Framing
from sluice_simulators.alpaca.faults import StreamFault
from sluice_simulators.alpaca.websocket import ServerWebSocket


class Mute(StreamFault, frozen=True):
    """The server sends no more data; without `pongs` it also ignores pings and the client's close, like a dead peer."""

    pongs: bool = True

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Stop sending from now on."""
        websocket.muted = True
        websocket.unresponsive = not self.pongs


class Close(StreamFault, frozen=True):
    """The server sends a close frame with a code such as 1000, 1001 or 1011 (for 1006, use Reset or HangUp)."""

    code: int = 1000
    reason: str = ""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Close the connection with a close handshake."""
        await websocket.close(self.code, self.reason)


class Reset(StreamFault, frozen=True):
    """The server resets the TCP connection (RST)."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Reset the connection."""
        websocket.reset()


class HangUp(StreamFault, frozen=True):
    """The server ends the TCP connection (FIN) without a close frame."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """End the connection."""
        websocket.hang_up()


class CloseMidFragment(StreamFault, frozen=True):
    """The server sends the first half of a fragmented message and then ends the TCP connection (FIN)."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send half a quote and end the connection."""
        payload = websocket.codec.encode([websocket.sample_quote()])
        websocket.write_raw(websocket_frame(payload[: len(payload) // 2], websocket.codec.opcode, final=False))
        websocket.hang_up()


class SlowClient(StreamFault, frozen=True):
    """The server drops the connection as too slow, after error 407, or without it if `said` is false."""

    said: bool = True

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Drop the connection."""
        await websocket.drop_slow_client(send_error=self.said)


class WrongCodec(StreamFault, frozen=True):
    """The server sends a quote in the other encoding: JSON in a text frame on a MessagePack stream, or the reverse."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send one such frame."""
        other = other_codec(websocket.codec)
        await websocket.send_payload(other.encode([websocket.sample_quote()]), other.opcode)


class Garbage(StreamFault, frozen=True):
    """The server sends a frame with these bytes (hexadecimal); MessagePack never uses the default, 0xc1."""

    data: str = "c1"
    text: bool = False

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send one such frame."""
        await websocket.send_payload(bytes.fromhex(self.data), TEXT if self.text else None)


class EmptyArray(StreamFault, frozen=True):
    """The server sends a frame with an empty array of messages."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send one such frame."""
        await websocket.send_messages([])


class Oversize(StreamFault, frozen=True):
    """The server sends one frame of quotes longer than this many bytes (WebSocket clients usually accept 1 MiB)."""

    size: int = 1 << 20

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send one such frame."""
        body = websocket.codec.encode_message(websocket.sample_quote())
        await websocket.send_payload(websocket.codec.join_frame([body] * (self.size // len(body) + 1)))


class Burst(StreamFault, frozen=True):
    """The server sends `messages` quotes at once, `batch` in each frame, of the subscribed symbols in turn."""

    messages: int = 1000
    batch: int = 100

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send all quotes of the burst."""
        symbols = sorted(websocket.subscription.quote_symbols - {"*"}) or ["AAPL"]
        bodies = [websocket.codec.encode_message(websocket.sample_quote(symbol)) for symbol in symbols]
        wanted = [bodies[number % len(bodies)] for number in range(self.messages)]
        for payload in Framing(websocket.codec, self.batch).frame_payloads(wanted):
            await websocket.send_payload(payload)


class StallReading(StreamFault, frozen=True):
    """The server does not read for this many seconds: the client's sends block, and its pings get no answer."""

    seconds: float

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Stop reading from now on."""
        websocket.stall_reading(self.seconds)


class Unsubscribed(StreamFault, frozen=True):
    """The server sends a quote of a symbol to which the client is not subscribed."""

    symbol: str = "ZZZZ"

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send one such quote."""
        await websocket.send_messages([websocket.sample_quote(self.symbol)])
