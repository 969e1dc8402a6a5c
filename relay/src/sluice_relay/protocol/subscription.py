"""The subscription of a connection: the symbols of each channel, changed by requests and acknowledged in full."""

from collections.abc import Mapping
from dataclasses import dataclass

from sluice_relay.protocol.messages import Message, ProtocolError

STOCK_CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
CRYPTO_CHANNELS = ("trades", "quotes", "orderbooks", "bars", "updatedBars", "dailyBars")
# Alpaca's documented acknowledgement lists this channel only while it has symbols.
UNLISTED_CHANNELS = ("imbalances",)
FOLLOW_TRADES = ("corrections", "cancelErrors")
CHANNEL_OF_TYPE = {
    "t": "trades",
    "q": "quotes",
    "b": "bars",
    "u": "updatedBars",
    "d": "dailyBars",
    "s": "statuses",
    "l": "lulds",
    "c": "corrections",
    "x": "cancelErrors",
    "i": "imbalances",
    "o": "orderbooks",
}
EVERYTHING = "*"
PUNCTUATION = frozenset("./-_")

Changes = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Subscription:
    """The symbols of each channel of one feed; immutable, so that a refused request changes nothing."""

    channels: Changes

    @classmethod
    def empty(cls, names: tuple[str, ...]) -> "Subscription":
        """Return the subscription of a new connection to a feed with these channels."""
        return cls(dict.fromkeys(names, frozenset()))

    @property
    def quote_symbols(self) -> frozenset[str]:
        """The symbols of the quotes channel; can include the wildcard `*`."""
        return self.channels.get("quotes", frozenset())

    @property
    def counted_symbols(self) -> int:
        """The number of symbols that count towards a plan's limit: those of trades plus those of quotes."""
        return len(self.channels.get("trades", ())) + len(self.quote_symbols)

    @property
    def has_counted_wildcard(self) -> bool:
        """True if trades or quotes include the wildcard."""
        return EVERYTHING in self.quote_symbols or EVERYTHING in self.channels.get("trades", ())

    def __bool__(self) -> bool:
        return any(self.channels.values())

    def with_added(self, changes: Changes) -> "Subscription":
        """Return this subscription with the symbols added."""
        return Subscription({**self.channels, **{n: self._symbols_of(n) | s for n, s in changes.items()}})

    def with_removed(self, changes: Changes) -> "Subscription":
        """Return this subscription with the symbols removed from the named channels."""
        return Subscription({**self.channels, **{n: self._symbols_of(n) - s for n, s in changes.items()}})

    def without_symbols(self, symbols: frozenset[str]) -> "Subscription":
        """Return this subscription with the symbols removed from every channel."""
        return Subscription({name: held - symbols for name, held in self.channels.items()})

    def includes(self, message: Message) -> bool:
        """Return True if the subscription includes the channel and the symbol of a data message."""
        symbols = self._symbols_of(CHANNEL_OF_TYPE.get(str(message.get("T")), ""))
        return message.get("S") in symbols or EVERYTHING in symbols

    def symbols_by_channel(self) -> dict[str, list[str]]:
        """Return the sorted symbols of each channel of the feed."""
        shown = {n: s for n, s in self.channels.items() if s or n not in UNLISTED_CHANNELS}
        return {name: sorted(symbols) for name, symbols in shown.items()}

    def acknowledgement_message(self) -> Message:
        """Return the acknowledgement of an accepted request: the whole subscription."""
        return {"T": "subscription", **self.symbols_by_channel()}

    def _symbols_of(self, channel: str) -> frozenset[str]:
        return self.channels.get(channel, frozenset())


def channel_names(*, crypto: bool) -> tuple[str, ...]:
    """Return the names of the channels of a crypto feed or of a stock feed."""
    return CRYPTO_CHANNELS if crypto else STOCK_CHANNELS + UNLISTED_CHANNELS


def parse_changes(request: Mapping[str, object], channels: tuple[str, ...]) -> Changes:
    """Return the channels and symbols of a subscribe or unsubscribe request.

    Raises ProtocolError 400 for an invalid request, or 410 for a channel of another feed.
    """
    changes = {name: _parse_symbols(value) for name, value in request.items() if name != "action"}
    unknown = changes.keys() - set(channels)
    if unknown:
        raise ProtocolError(410 if unknown <= set(CHANNEL_OF_TYPE.values()) else 400)
    if "trades" in changes and "corrections" in channels:
        for follower in FOLLOW_TRADES:
            changes[follower] = changes.get(follower, frozenset()) | changes["trades"]
    return changes


def _parse_symbols(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(symbol, str) for symbol in value):
        raise ProtocolError(400)
    if not all(_is_well_formed(symbol) for symbol in value):
        raise ProtocolError(400)
    return frozenset(value)


def _is_well_formed(symbol: str) -> bool:
    if symbol == EVERYTHING:
        return True
    letters = "".join(character for character in symbol if character not in PUNCTUATION)
    return letters.isascii() and letters.isalnum() and symbol[0] not in PUNCTUATION
