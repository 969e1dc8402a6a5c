"""Data messages on their way to connections: encoded once for each encoding, filtered for each connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgpack import Timestamp

from support.alpaca.encoding import Codec
from support.alpaca.messages import Message, quote_message
from support.alpaca.subscription import EVERYTHING, Subscription
from support.tapes import TapeQuote


class Batch(Protocol):
    """Some messages in order."""

    def bodies(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Those that are subscribed to, each encoded without the array around it."""

    def messages(self, subscription: Subscription) -> list[Message]:
        """Those that are subscribed to."""


@dataclass(frozen=True)
class MessageBatch:
    """Messages made for the occasion."""

    content: Sequence[Message]

    def bodies(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """Encodes."""
        return [codec.body(message) for message in self.messages(subscription)]

    def messages(self, subscription: Subscription) -> list[Message]:
        """Filters."""
        return [message for message in self.content if subscription.wants(message)]


class Reel:
    """A tape's quotes, encoded when first needed: playing them again and again costs a join, not an encoding."""

    def __init__(self, quotes: Sequence[TapeQuote]) -> None:
        """The quotes are kept in the order given."""
        self.quotes = quotes
        self.symbols = [quote.symbol for quote in quotes]
        self._names = frozenset(self.symbols)
        self._encoded: dict[str, tuple[list[bytes], list[bytes]]] = {}

    def batch(self, start: int, stop: int, at: Timestamp | None = None) -> "ReelBatch":
        """The quotes from `start` to before `stop`; `at` replaces their own times."""
        return ReelBatch(self, slice(start, stop), at)

    def encoded(self, codec: Codec) -> tuple[list[bytes], list[bytes]]:
        """The whole bodies, and the bodies up to the time."""
        if codec.name not in self._encoded:
            self._encoded[codec.name] = self._encode(codec)
        return self._encoded[codec.name]

    def all_wanted(self, names: frozenset[str]) -> bool:
        """Whether every symbol of the tape is among the names."""
        return EVERYTHING in names or self._names <= names

    def _encode(self, codec: Codec) -> tuple[list[bytes], list[bytes]]:
        messages = [quote_message(quote) for quote in self.quotes]
        bodies = [codec.body(message) for message in messages]
        tails = [len(codec.tail(message)) for message in messages]
        return bodies, [body[:-tail] for body, tail in zip(bodies, tails, strict=True)]


@dataclass(frozen=True)
class ReelBatch:
    """A stretch of a reel."""

    reel: Reel
    stretch: slice
    at: Timestamp | None

    def bodies(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        """From the reel's own encoding."""
        bodies = self._bodies(codec)
        if self.reel.all_wanted(subscription.quotes):
            return bodies
        names, symbols = subscription.quotes, self.reel.symbols[self.stretch]
        return [body for body, symbol in zip(bodies, symbols, strict=True) if symbol in names]

    def messages(self, subscription: Subscription) -> list[Message]:
        """Made from the quotes."""
        messages = [quote_message(quote, self.at) for quote in self.reel.quotes[self.stretch]]
        return [message for message in messages if subscription.wants(message)]

    def _bodies(self, codec: Codec) -> list[bytes]:
        bodies, heads = self.reel.encoded(codec)
        if self.at is None:
            return bodies[self.stretch]
        tail = codec.tail({"t": self.at})
        return [head + tail for head in heads[self.stretch]]
