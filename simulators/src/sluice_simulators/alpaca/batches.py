"""Data messages on their way to connections: encoded once for each encoding, filtered for each connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgpack import Timestamp

from sluice_simulators.alpaca.encoding import Codec, websocket_frame
from sluice_simulators.alpaca.messages import Message, quote_message
from sluice_simulators.alpaca.subscription import EVERYTHING, Subscription
from sluice_simulators.tapes import TapeQuote


@dataclass(frozen=True)
class Framing:
    """How bodies become frames: in which encoding, and how many to a frame at most."""

    codec: Codec
    per_frame: int

    def frame_payloads(self, bodies: Sequence[bytes]) -> list[bytes]:
        """The frames' payloads."""
        starts = range(0, len(bodies), self.per_frame)
        return [self.codec.join_frame(bodies[start : start + self.per_frame]) for start in starts]

    def raw_frames(self, bodies: Sequence[bytes]) -> bytes:
        """The frames as they go on an uncompressed connection."""
        opcode = self.codec.opcode
        return b"".join([websocket_frame(payload, opcode) for payload in self.frame_payloads(bodies)])


class Batch(Protocol):
    """Some messages in order."""

    def encoded_bodies(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Those that are subscribed to, each encoded without the array around it."""

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        """Those that are subscribed to, as uncompressed WebSocket frames, and how many they are."""

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        """Those that are subscribed to."""


@dataclass(frozen=True)
class MessageBatch:
    """Messages made for the occasion."""

    content: Sequence[Message]

    def encoded_bodies(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Encodes."""
        return [codec.encode_message(message) for message in self.subscribed_messages(subscription)]

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        """Encodes and frames."""
        bodies = self.encoded_bodies(framing.codec, subscription)
        return framing.raw_frames(bodies), len(bodies)

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        """Filters."""
        return [message for message in self.content if subscription.includes(message)]


class EncodedTape:
    """A tape's quotes, encoded and framed when first needed: playing them again costs a write."""

    def __init__(self, quotes: Sequence[TapeQuote], *, keep_frames: bool = False) -> None:
        """`keep_frames`: the stretches asked for will be the same ones in each pass."""
        self.quotes = quotes
        self.symbols = [quote.symbol for quote in quotes]
        self._names = frozenset(self.symbols)
        self._encoded: dict[str, tuple[list[bytes], list[bytes]]] = {}
        self._keep_frames = keep_frames
        self._framed: dict[tuple[str, int, int, int], bytes] = {}

    def batch(self, start: int, stop: int, at: Timestamp | None = None) -> "EncodedTapeBatch":
        """The quotes from `start` to before `stop`; `at` replaces their own times."""
        return EncodedTapeBatch(self, slice(start, stop), at)

    def encoded_bodies(self, codec: Codec) -> tuple[list[bytes], list[bytes]]:
        """The whole bodies, and the bodies up to the time."""
        if codec.name not in self._encoded:
            self._encoded[codec.name] = self._encode(codec)
        return self._encoded[codec.name]

    def raw_frames(self, framing: Framing, stretch: slice) -> bytes:
        """A stretch as uncompressed WebSocket frames, with the quotes' own times."""
        key = (framing.codec.name, framing.per_frame, stretch.start, stretch.stop)
        if key not in self._framed:
            raw = framing.raw_frames(self.encoded_bodies(framing.codec)[0][stretch])
            if not self._keep_frames:
                return raw
            self._framed[key] = raw
        return self._framed[key]

    def has_only_symbols(self, names: frozenset[str]) -> bool:
        """Whether every symbol of the tape is among the names."""
        return EVERYTHING in names or self._names <= names

    def _encode(self, codec: Codec) -> tuple[list[bytes], list[bytes]]:
        messages = [quote_message(quote) for quote in self.quotes]
        bodies = [codec.encode_message(message) for message in messages]
        tails = [len(codec.encode_time_suffix(message)) for message in messages]
        return bodies, [body[:-tail] for body, tail in zip(bodies, tails, strict=True)]


@dataclass(frozen=True)
class EncodedTapeBatch:
    """A stretch of a reel."""

    tape: EncodedTape
    stretch: slice
    at: Timestamp | None

    def encoded_bodies(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """From the reel's own encoding."""
        bodies = self._all_bodies(codec)
        if self.tape.has_only_symbols(subscription.quote_symbols):
            return bodies
        names, symbols = subscription.quote_symbols, self.tape.symbols[self.stretch]
        return [body for body, symbol in zip(bodies, symbols, strict=True) if symbol in names]

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        """From the reel's own frames, if it is all of them as they are."""
        if self.at is None and self.tape.has_only_symbols(subscription.quote_symbols):
            return self.tape.raw_frames(framing, self.stretch), len(self.tape.symbols[self.stretch])
        bodies = self.encoded_bodies(framing.codec, subscription)
        return framing.raw_frames(bodies), len(bodies)

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        """Made from the quotes."""
        messages = [quote_message(quote, self.at) for quote in self.tape.quotes[self.stretch]]
        return [message for message in messages if subscription.includes(message)]

    def _all_bodies(self, codec: Codec) -> list[bytes]:
        bodies, heads = self.tape.encoded_bodies(codec)
        if self.at is None:
            return bodies[self.stretch]
        tail = codec.encode_time_suffix({"t": self.at})
        return [head + tail for head in heads[self.stretch]]
