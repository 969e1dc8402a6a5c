"""Faults of a subscribed connection: silence, ends, and frames that are not arrays of messages."""

from sluice_simulators.alpaca.batches import Framing
from sluice_simulators.alpaca.encoding import TEXT, other_codec, websocket_frame
from sluice_simulators.alpaca.faults import StreamFault
from sluice_simulators.alpaca.websocket import ServerWebSocket


class Mute(StreamFault, frozen=True):
    """Nothing more is sent; pings are answered or, as by a dead peer, neither they nor a close are."""

    pongs: bool = True

    async def apply(self, websocket: ServerWebSocket) -> None:
        """From now on."""
        websocket.muted = True
        websocket.unresponsive = not self.pongs


class Close(StreamFault, frozen=True):
    """A close frame: 1000, 1001, 1011 and so on (1006 has no frame: see Reset and HangUp)."""

    code: int = 1000
    reason: str = ""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Closes."""
        await websocket.close(self.code, self.reason)


class Reset(StreamFault, frozen=True):
    """RST."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Resets."""
        websocket.reset()


class HangUp(StreamFault, frozen=True):
    """FIN without a close frame."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Hangs up."""
        websocket.hang_up()


class CloseMidFragment(StreamFault, frozen=True):
    """The first half of a fragmented message, then FIN."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Half a quote."""
        payload = websocket.codec.encode([websocket.sample_quote()])
        websocket.write_raw(websocket_frame(payload[: len(payload) // 2], websocket.codec.opcode, final=False))
        websocket.hang_up()


class SlowClient(StreamFault, frozen=True):
    """Error 407 (or, unsaid, nothing) and the connection drops."""

    said: bool = True

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Says it and drops."""
        await websocket.drop_slow_client(send_error=self.said)


class WrongCodec(StreamFault, frozen=True):
    """A quote in the other encoding, in that encoding's kind of frame: text on a MessagePack stream."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """One frame."""
        other = other_codec(websocket.codec)
        await websocket.send_payload(other.encode([websocket.sample_quote()]), other.opcode)


class Garbage(StreamFault, frozen=True):
    """A frame of these bytes (hex); 0xc1 is the one that MessagePack never uses."""

    data: str = "c1"
    text: bool = False

    async def apply(self, websocket: ServerWebSocket) -> None:
        """One frame."""
        await websocket.send_payload(bytes.fromhex(self.data), TEXT if self.text else None)


class EmptyArray(StreamFault, frozen=True):
    """A frame of no messages."""

    async def apply(self, websocket: ServerWebSocket) -> None:
        """One frame."""
        await websocket.send_messages([])


class Oversize(StreamFault, frozen=True):
    """One frame of quotes longer than this many bytes (a WebSocket client's usual limit is 1 MiB)."""

    size: int = 1 << 20

    async def apply(self, websocket: ServerWebSocket) -> None:
        """One frame."""
        body = websocket.codec.encode_message(websocket.sample_quote())
        await websocket.send_payload(websocket.codec.join_frame([body] * (self.size // len(body) + 1)))


class Burst(StreamFault, frozen=True):
    """So many quotes at once, `batch` to a frame, of the subscribed symbols in turn."""

    messages: int = 1000
    batch: int = 100

    async def apply(self, websocket: ServerWebSocket) -> None:
        """All of it."""
        symbols = sorted(websocket.subscription.quote_symbols - {"*"}) or ["AAPL"]
        bodies = [websocket.codec.encode_message(websocket.sample_quote(symbol)) for symbol in symbols]
        wanted = [bodies[number % len(bodies)] for number in range(self.messages)]
        for payload in Framing(websocket.codec, self.batch).frame_payloads(wanted):
            await websocket.send_payload(payload)


class StallReading(StreamFault, frozen=True):
    """The server does not read for so many seconds: the client's sends block, its pings wait."""

    seconds: float

    async def apply(self, websocket: ServerWebSocket) -> None:
        """From now on."""
        websocket.stall_reading(self.seconds)


class Unsubscribed(StreamFault, frozen=True):
    """A quote for a symbol that nobody asked for."""

    symbol: str = "ZZZZ"

    async def apply(self, websocket: ServerWebSocket) -> None:
        """One quote."""
        await websocket.send_messages([websocket.sample_quote(self.symbol)])
