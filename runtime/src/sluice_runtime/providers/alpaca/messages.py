"""Alpaca's wire messages, decoded by their field `T`.

A binary frame contains MessagePack, a text frame JSON. Alpaca answers with the encoding that the client requests, but
other servers, such as Alpaca's own proxy agent, send JSON to every client.

Source: Alpaca's streaming documentation (real-time stock data) and the field types of its Go SDK. Unknown keys
are ignored; a message of an unknown kind or a malformed message is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated

import msgspec

from sluice_contract.spec import Channel

from ...domain.market import Bar, Halt, Quote, TradeCancellation, TradeCorrection, TradeEvent, normalised_side
from ...domain.sale_conditions import LastSaleRule
from .trade_conditions import RULES, SaleConditions, rule_of_conditions

_INFINITY = float("inf")


# The fields of quotes and trades have the order in which Alpaca sends them: the decoder searches for each key from the
# field after the last one, so another order costs comparisons.


class QuoteMessage(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="T", tag="q"):
    """The best bid and ask of a symbol. A price of 0 means that there is no active bid or ask."""

    symbol: str = msgspec.field(name="S")
    bid: float = msgspec.field(name="bp", default=0.0)
    bid_size: float = msgspec.field(name="bs", default=0.0)
    ask: float = msgspec.field(name="ap", default=0.0)
    ask_size: float = msgspec.field(name="as", default=0.0)
    # A time without a zone cannot be compared with any other.
    ts: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="t")

    @property
    def is_locked_or_crossed(self) -> bool:
        """True if the bid is at or above the ask."""
        return 0 < self.ask <= self.bid < _INFINITY

    def to_quote(self) -> Quote:
        """Return the message as a Quote, which has the same form for all providers."""
        bid, bid_size = normalised_side(self.bid, self.bid_size)
        ask, ask_size = normalised_side(self.ask, self.ask_size)
        return Quote(symbol=self.symbol, ts=self.ts, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)


class TradeMessage(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="T", tag="t"):
    """One trade of a symbol. Trades of crypto pairs have no sale conditions, tape and exchange."""

    id: int | None = msgspec.field(name="i", default=None)
    symbol: str = msgspec.field(name="S")
    exchange: str = msgspec.field(name="x", default="")
    price: float = msgspec.field(name="p")
    size: float = msgspec.field(name="s", default=1.0)
    conditions: SaleConditions | None = msgspec.field(name="c", default=None)
    tape: str = msgspec.field(name="z", default="")
    ts: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="t")

    @property
    def rule(self) -> LastSaleRule:
        """What the sale conditions of the trade mean for the last price."""
        if self.size > 0:  # hot path: one call less
            return RULES[self.tape][self.conditions]
        return rule_of_conditions(self.tape, self.conditions, self.size)


class TradeCancelMessage(msgspec.Struct, frozen=True, gc=False, tag_field="T", tag="x"):
    """A trade was canceled or reported by error. `price` is that of the trade.

    Cancellations and corrections of a symbol come with the subscription to its trades.
    """

    symbol: str = msgspec.field(name="S")
    id: int = msgspec.field(name="i")
    ts: Annotated[datetime, msgspec.Meta(tz=True)] | None = msgspec.field(name="t", default=None)
    exchange: str = msgspec.field(name="x", default="")
    price: float | None = msgspec.field(name="p", default=None)

    def to_cancellation(self) -> TradeCancellation:
        """Return the message as a TradeCancellation, which has the same form for all providers."""
        return TradeCancellation(
            symbol=self.symbol, ts=self.ts, id=self.id, exchange=self.exchange, price=self.price or None
        )


class TradeCorrectionMessage(msgspec.Struct, frozen=True, gc=False, tag_field="T", tag="c"):
    """A trade was corrected: `original` fields become `corrected` ones."""

    symbol: str = msgspec.field(name="S")
    original_id: int = msgspec.field(name="oi")
    price: float = msgspec.field(name="cp")
    id: int | None = msgspec.field(name="ci", default=None)
    size: float = msgspec.field(name="cs", default=1.0)
    conditions: SaleConditions | None = msgspec.field(name="cc", default=None)
    original_price: float | None = msgspec.field(name="op", default=None)
    ts: Annotated[datetime, msgspec.Meta(tz=True)] | None = msgspec.field(name="t", default=None)
    exchange: str = msgspec.field(name="x", default="")
    tape: str = msgspec.field(name="z", default="")

    def to_correction(self) -> TradeCorrection:
        """Return the message as a TradeCorrection, which has the same form for all providers."""
        return TradeCorrection(
            symbol=self.symbol,
            ts=self.ts,
            exchange=self.exchange,
            original_id=self.original_id,
            original_price=self.original_price or None,
            id=self.id,
            price=self.price,
            rule=rule_of_conditions(self.tape, self.conditions, self.size),
        )


class BarMessage(msgspec.Struct, frozen=True, gc=False, tag_field="T", tag="b"):
    """The one-minute bar of a symbol."""

    symbol: str = msgspec.field(name="S")
    ts: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="t")
    open: float = msgspec.field(name="o")
    high: float = msgspec.field(name="h")
    low: float = msgspec.field(name="l")
    close: float = msgspec.field(name="c")
    volume: float = msgspec.field(name="v", default=0.0)

    def to_bar(self) -> Bar:
        """Return the message as a Bar, which has the same form for all providers."""
        return Bar(
            symbol=self.symbol,
            ts=self.ts,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
        )


# Source: Alpaca's table of trading status codes; tapes A and B (CTA) have digits, C and O (UTP) letters. The others
# (imbalances, price indications, quotes allowed again) do not show whether trading is halted.
_HALTED = frozenset({"2", "H", "P"})
_RESUMED = frozenset({"3", "T"})


class StatusMessage(msgspec.Struct, frozen=True, gc=False, tag_field="T", tag="s"):
    """A change of a symbol's trading status."""

    symbol: str = msgspec.field(name="S")
    ts: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="t")
    code: str = msgspec.field(name="sc")
    meaning: str = msgspec.field(name="sm", default="")
    reason: str = msgspec.field(name="rm", default="")

    def to_halt(self) -> Halt | None:
        """Return the trading halt or its end as a Halt; None if the status code means neither."""
        if self.code not in _HALTED | _RESUMED:
            return None
        return Halt(
            symbol=self.symbol,
            ts=self.ts,
            halted=self.code in _HALTED,
            code=self.code,
            reason=self.reason or self.meaning,
        )


class SuccessMessage(msgspec.Struct, frozen=True, tag_field="T", tag="success"):
    """The welcome (`connected`) or the answer to a login (`authenticated`)."""

    msg: str


class SubscriptionMessage(msgspec.Struct, frozen=True, tag_field="T", tag="subscription"):
    """An acknowledgement with all current subscriptions, not only those of the last request."""

    quotes: list[str] = []
    trades: list[str] = []
    bars: list[str] = []
    statuses: list[str] = []

    def symbols_of_channel(self, channel: Channel) -> frozenset[str]:
        """Return the subscribed symbols of one channel."""
        return frozenset(getattr(self, channel))


class ErrorMessage(msgspec.Struct, frozen=True, tag_field="T", tag="error"):
    """An error, with a code from Alpaca's documentation."""

    code: int
    msg: str = ""


TradeEventMessage = TradeMessage | TradeCancelMessage | TradeCorrectionMessage
Message = (
    QuoteMessage | TradeEventMessage | BarMessage | StatusMessage | SuccessMessage | SubscriptionMessage | ErrorMessage
)


def to_trade_event(message: TradeEventMessage) -> TradeEvent:
    """Return the message in the form for all providers. A trade is converted only when it is kept."""
    match message:
        case TradeCancelMessage():
            return message.to_cancellation()
        case TradeCorrectionMessage():
            return message.to_correction()
        case _:
            return message


# Raises one of DECODINGDECODING_FAULTS for a frame with an unknown or malformed message.
decode_binary_frame = msgspec.msgpack.Decoder(list[Message]).decode
_decode_text = msgspec.json.Decoder(list[Message]).decode
_decode_binary_message = msgspec.msgpack.Decoder(Message).decode
_decode_text_message = msgspec.json.Decoder(Message).decode
_split_binary = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_split_text = msgspec.json.Decoder(list[msgspec.Raw]).decode

_PART_MESSAGES = 500

# Invalid UTF-8 and excessive nesting raise Python's own exceptions.
DECODING_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_frame(frame: bytes | str) -> Sequence[Message]:
    """Return the valid messages of one frame, in order. Text contains JSON, bytes contain MessagePack."""
    try:
        return _decode_text(frame) if isinstance(frame, str) else decode_binary_frame(frame)
    except DECODING_FAULTS:
        return [message for some in decode_frame_in_parts(frame) for message in some]


def decode_frame_in_parts(frame: bytes | str) -> Iterator[Sequence[Message]]:
    """Yield the valid messages of one frame in parts of 500 messages.

    All messages of a large frame at once would take four times the memory of the frame.
    """
    is_text = isinstance(frame, str)
    parts: list[msgspec.Raw] = []
    with suppress(*DECODING_FAULTS):
        parts = _split_text(frame) if isinstance(frame, str) else _split_binary(frame)
    for start in range(0, len(parts), _PART_MESSAGES):
        yield _decode_valid_messages(parts[start : start + _PART_MESSAGES], is_text=is_text)


def _decode_valid_messages(parts: Sequence[msgspec.Raw], *, is_text: bool) -> list[Message]:
    decode = _decode_text_message if is_text else _decode_binary_message
    messages: list[Message] = []
    for part in parts:
        with suppress(*DECODING_FAULTS):
            messages.append(decode(part))
    return messages
