"""Faults of a subscribed connection: silence, ends, and frames that are not arrays of messages."""

from sluice_simulators.alpaca.batches import Framing
from sluice_simulators.alpaca.encoding import TEXT, other_codec, websocket_frame
from sluice_simulators.alpaca.faults import StreamFault
from sluice_simulators.alpaca.wire import Wire


class Mute(StreamFault, frozen=True):
    """Nothing more is sent; pings are answered or, as by a dead peer, neither they nor a close are."""

    pongs: bool = True

    async def strike(self, wire: Wire) -> None:
        """From now on."""
        wire.muted = True
        wire.deaf = not self.pongs


class Close(StreamFault, frozen=True):
    """A close frame: 1000, 1001, 1011 and so on (1006 has no frame: see Reset and HangUp)."""

    code: int = 1000
    reason: str = ""

    async def strike(self, wire: Wire) -> None:
        """Closes."""
        await wire.close(self.code, self.reason)


class Reset(StreamFault, frozen=True):
    """RST."""

    async def strike(self, wire: Wire) -> None:
        """Resets."""
        wire.reset()


class HangUp(StreamFault, frozen=True):
    """FIN without a close frame."""

    async def strike(self, wire: Wire) -> None:
        """Hangs up."""
        wire.hang_up()


class CloseMidFragment(StreamFault, frozen=True):
    """The first half of a fragmented message, then FIN."""

    async def strike(self, wire: Wire) -> None:
        """Half a quote."""
        payload = wire.codec.encode([wire.sample()])
        wire.write(websocket_frame(payload[: len(payload) // 2], wire.codec.opcode, final=False))
        wire.hang_up()


class SlowClient(StreamFault, frozen=True):
    """Error 407 (or, unsaid, nothing) and the connection drops."""

    said: bool = True

    async def strike(self, wire: Wire) -> None:
        """Says it and drops."""
        await wire.end_slow(said=self.said)


class WrongCodec(StreamFault, frozen=True):
    """A quote in the other encoding, in that encoding's kind of frame: text on a MessagePack stream."""

    async def strike(self, wire: Wire) -> None:
        """One frame."""
        other = other_codec(wire.codec)
        await wire.send_payload(other.encode([wire.sample()]), other.opcode)


class Garbage(StreamFault, frozen=True):
    """A frame of these bytes (hex); 0xc1 is the one that MessagePack never uses."""

    data: str = "c1"
    text: bool = False

    async def strike(self, wire: Wire) -> None:
        """One frame."""
        await wire.send_payload(bytes.fromhex(self.data), TEXT if self.text else None)


class EmptyArray(StreamFault, frozen=True):
    """A frame of no messages."""

    async def strike(self, wire: Wire) -> None:
        """One frame."""
        await wire.send([])


class Oversize(StreamFault, frozen=True):
    """One frame of quotes longer than this many bytes (a WebSocket client's usual limit is 1 MiB)."""

    size: int = 1 << 20

    async def strike(self, wire: Wire) -> None:
        """One frame."""
        body = wire.codec.body(wire.sample())
        await wire.send_payload(wire.codec.frame([body] * (self.size // len(body) + 1)))


class Burst(StreamFault, frozen=True):
    """So many quotes at once, `batch` to a frame, of the subscribed symbols in turn."""

    messages: int = 1000
    batch: int = 100

    async def strike(self, wire: Wire) -> None:
        """All of it."""
        symbols = sorted(wire.subscription.quotes - {"*"}) or ["AAPL"]
        bodies = [wire.codec.body(wire.sample(symbol)) for symbol in symbols]
        wanted = [bodies[number % len(bodies)] for number in range(self.messages)]
        for payload in Framing(wire.codec, self.batch).payloads(wanted):
            await wire.send_payload(payload)


class StallReading(StreamFault, frozen=True):
    """The server does not read for so many seconds: the client's sends block, its pings wait."""

    seconds: float

    async def strike(self, wire: Wire) -> None:
        """From now on."""
        wire.stall(self.seconds)


class Unsubscribed(StreamFault, frozen=True):
    """A quote for a symbol that nobody asked for."""

    symbol: str = "ZZZZ"

    async def strike(self, wire: Wire) -> None:
        """One quote."""
        await wire.send([wire.sample(self.symbol)])
