"""What a source publishes: quotes, trades, bars and trading statuses, and their messages in Alpaca's stream protocol.

Times are Unix times in nanoseconds. Prices are in dollars, and sizes in shares or coins.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .protocol.encoding import Codec
from .protocol.messages import Message, timestamp

QUOTES = "quotes"
TRADES = "trades"
BARS = "bars"
STATUSES = "statuses"


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The best bid and ask of a symbol. A missing side is None; an unknown exchange, condition or tape is empty."""

    symbol: str
    ts: int
    bid: float | None
    ask: float | None
    bid_size: float | None
    ask_size: float | None
    bid_exchange: str = ""
    ask_exchange: str = ""
    conditions: tuple[str, ...] = ()
    tape: str = ""

    @property
    def channel(self) -> str:
        """The channel of Alpaca's protocol that carries the event."""
        return QUOTES

    def to_message(self) -> Message:
        """Return the message. As Alpaca sends it, a missing side has price and size 0; unknown fields are left out."""
        details = {"bx": self.bid_exchange, "ax": self.ask_exchange, "c": list(self.conditions), "z": self.tape}
        return {
            "T": "q",
            "S": self.symbol,
            "bp": self.bid or 0.0,
            "bs": _size(self.bid_size),
            "ap": self.ask or 0.0,
            "as": _size(self.ask_size),
            **_without_unknown(details),
            "t": timestamp(self.ts),
        }


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One trade. An unknown id is None; an unknown exchange, condition or tape is empty."""

    symbol: str
    ts: int
    price: float
    size: float
    id: int | None = None
    exchange: str = ""
    conditions: tuple[str, ...] = ()
    tape: str = ""

    @property
    def channel(self) -> str:
        """The channel of Alpaca's protocol that carries the event."""
        return TRADES

    def to_message(self) -> Message:
        """Return the message; unknown fields are left out."""
        details = {"i": self.id, "x": self.exchange, "c": list(self.conditions), "z": self.tape}
        return {
            "T": "t",
            "S": self.symbol,
            "p": self.price,
            "s": _size(self.size),
            **_without_unknown(details),
            "t": timestamp(self.ts),
        }


class Bar(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One minute of trades; `ts` is its start. An unknown number of trades or average price is None."""

    symbol: str
    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trade_count: int | None = None
    vwap: float | None = None

    @property
    def channel(self) -> str:
        """The channel of Alpaca's protocol that carries the event."""
        return BARS

    def to_message(self) -> Message:
        """Return the message. alpaca-py refuses a bar without `n` and `vw`: unknown, they are null."""
        prices = {"o": self.open, "h": self.high, "l": self.low, "c": self.close}
        counts = {"v": _size(self.volume), "n": self.trade_count, "vw": self.vwap}
        return {"T": "b", "S": self.symbol, **prices, **counts, "t": timestamp(self.ts)}


class TradingStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The trading of a symbol is halted (code H) or resumes (code T)."""

    symbol: str
    ts: int
    code: str
    reason: str = ""

    @property
    def channel(self) -> str:
        """The channel of Alpaca's protocol that carries the event."""
        return STATUSES

    def to_message(self) -> Message:
        """Return the message."""
        names = {"sc": self.code, "sm": "", "rc": self.reason, "rm": "", "z": ""}
        return {"T": "s", "S": self.symbol, **names, "t": timestamp(self.ts)}


Event = Quote | Trade | Bar | TradingStatus


class EncodedEvent:
    """An event for many clients: it is encoded once for each encoding, when the first client needs it."""

    __slots__ = ("_encoded", "_event", "channel", "symbol")

    def __init__(self, event: Event) -> None:
        self.channel = event.channel
        self.symbol = event.symbol
        self._event = event
        self._encoded: dict[str, bytes] = {}

    def encoded_message(self, codec: Codec) -> bytes:
        """Return the message in this encoding."""
        found = self._encoded.get(codec.name)
        if found is None:
            found = self._encoded[codec.name] = codec.encode_message(self._event.to_message())
        return found


def _without_unknown(details: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that are known: neither None nor empty."""
    return {name: value for name, value in details.items() if value}


def _size(size: float | None) -> float:
    """Return a size as Alpaca sends it: a whole number as an integer."""
    if size is None:
        return 0
    return int(size) if size == int(size) else size
