"""Batches of data messages: encoded once for each encoding, and filtered by the subscription of each connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgpack import Timestamp

from sluice_relay.protocol.encoding import Codec, websocket_frame
from sluice_relay.protocol.messages import Message
from sluice_relay.protocol.subscription import EVERYTHING, Subscription
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.tapes import TapeQuote


@dataclass(frozen=True)
class Framing:
    """The rule for packing encoded messages into frames: the codec and the most messages in a frame."""

    codec: Codec
    per_frame: int

    def frame_payloads(self, bodies: Sequence[bytes]) -> list[bytes]:
        """Return the payload of each frame that carries the encoded messages."""
        starts = range(0, len(bodies), self.per_frame)
        return [self.codec.join_frame(bodies[start : start + self.per_frame]) for start in starts]

    def raw_frames(self, bodies: Sequence[bytes]) -> bytes:
        """Return the bytes of all frames as an uncompressed connection sends them."""
        opcode = self.codec.opcode
        return b"".join([websocket_frame(payload, opcode) for payload in self.frame_payloads(bodies)])


class Batch(Protocol):
    """Data messages in the order of sending."""

    def encoded_messages(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Return the subscribed messages, each encoded without the enclosing array."""

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        """Return the subscribed messages as uncompressed WebSocket frames, and the number of messages."""

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        """Return the messages that the subscription includes."""


@dataclass(frozen=True)
class MessageBatch:
    """A batch of messages that exist as maps and are encoded for each connection."""

    content: Sequence[Message]

    def encoded_messages(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Return the subscribed messages, each encoded without the enclosing array."""
        return [codec.encode_message(message) for message in self.subscribed_messages(subscription)]

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        """Return the subscribed messages as uncompressed WebSocket frames, and the number of messages."""
        bodies = self.encoded_messages(framing.codec, subscription)
        return framing.raw_frames(bodies), len(bodies)

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        """Return the messages that the subscription includes."""
        return [message for message in self.content if subscription.includes(message)]


class EncodedTape:
    """The quotes of a tape, with a cache of their encoded messages and frames.

    Each encoding is made when a connection first needs it, so that playing the tape again encodes nothing.
    """

    def __init__(self, quotes: Sequence[TapeQuote], *, keep_frames: bool = False) -> None:
        """`keep_frames`: cache the frames too, because each pass sends the same slices of the tape."""
        self.quotes = quotes
        self.symbols = [quote.symbol for quote in quotes]
        self._names = frozenset(self.symbols)
        self._encoded: dict[str, tuple[list[bytes], list[bytes]]] = {}
        self._keep_frames = keep_frames
        self._framed: dict[tuple[str, int, int, int], bytes] = {}

    def batch(self, start: int, stop: int, at: Timestamp | None = None) -> "EncodedTapeBatch":
        """Return the quotes from index `start` to before index `stop`; `at` replaces the quotes' own times."""
        return EncodedTapeBatch(self, slice(start, stop), at)

    def encoded_messages(self, codec: Codec) -> tuple[list[bytes], list[bytes]]:
        """Return two lists: the encoded quotes, and the same bytes without the time at their end."""
        if codec.name not in self._encoded:
            self._encoded[codec.name] = self._encode(codec)
        return self._encoded[codec.name]

    def raw_frames(self, framing: Framing, positions: slice) -> bytes:
        """Return a slice of the tape as uncompressed WebSocket frames, with the quotes' own times."""
        key = (framing.codec.name, framing.per_frame, positions.start, positions.stop)
        if key not in self._framed:
            raw = framing.raw_frames(self.encoded_messages(framing.codec)[0][positions])
            if not self._keep_frames:
                return raw
            self._framed[key] = raw
        return self._framed[key]

    def has_only_symbols(self, names: frozenset[str]) -> bool:
        """Return True if every symbol of the tape is among `names`, or `names` contains the wildcard."""
        return EVERYTHING in names or self._names <= names

    def _encode(self, codec: Codec) -> tuple[list[bytes], list[bytes]]:
        messages = [quote_message(quote) for quote in self.quotes]
        bodies = [codec.encode_message(message) for message in messages]
        tails = [len(codec.encode_time_suffix(message)) for message in messages]
        return bodies, [body[:-tail] for body, tail in zip(bodies, tails, strict=True)]


@dataclass(frozen=True)
class EncodedTapeBatch:
    """A slice of a tape's quotes; `at`, if set, replaces their own times."""

    tape: EncodedTape
    positions: slice
    at: Timestamp | None

    def encoded_messages(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Return the subscribed quotes, each encoded without the enclosing array, from the tape's cache."""
        bodies = self._all_encoded_messages(codec)
        if self.tape.has_only_symbols(subscription.quote_symbols):
            return bodies
        names, symbols = subscription.quote_symbols, self.tape.symbols[self.positions]
        return [body for body, symbol in zip(bodies, symbols, strict=True) if symbol in names]

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        """Return the subscribed quotes as uncompressed WebSocket frames, and the number of quotes.

        The frames come from the tape's cache if all quotes are subscribed and keep their own times.
        """
        if self.at is None and self.tape.has_only_symbols(subscription.quote_symbols):
            return self.tape.raw_frames(framing, self.positions), len(self.tape.symbols[self.positions])
        bodies = self.encoded_messages(framing.codec, subscription)
        return framing.raw_frames(bodies), len(bodies)

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        """Return the messages of the quotes that the subscription includes."""
        messages = [quote_message(quote, self.at) for quote in self.tape.quotes[self.positions]]
        return [message for message in messages if subscription.includes(message)]

    def _all_encoded_messages(self, codec: Codec) -> list[bytes]:
        bodies, heads = self.tape.encoded_messages(codec)
        if self.at is None:
            return bodies[self.positions]
        tail = codec.encode_time_suffix({"t": self.at})
        return [head + tail for head in heads[self.positions]]
