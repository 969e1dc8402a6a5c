"""Faults of single data messages: unknown or missing parts, wrong times, implausible prices."""

import math
import time
from typing import Literal

from msgpack import Timestamp

from sluice_relay.protocol.messages import Message, timestamp
from sluice_simulators.alpaca.faults import MessageFault

Side = Literal["bid", "ask", "both"]
PRICE_KEYS = {"bid": ("bp",), "ask": ("ap",), "both": ("bp", "ap")}
SIZE_KEYS = {"bid": ("bs",), "ask": ("as",), "both": ("bs", "as")}


class UnknownType(MessageFault, frozen=True):
    """The message has a type (`T`) that Alpaca does not document."""

    type_: str = "zz"

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the message with the unknown type."""
        return [{**message, "T": self.type_}]


class UnknownKeys(MessageFault, frozen=True):
    """The message has undocumented keys before and after the documented ones."""

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the message with the additional keys; `T` stays the first key."""
        return [{"T": message["T"], "zz": {"n": [1, None]}, **message, "zy": "new"}]


class Missing(MessageFault, frozen=True):
    """The message lacks one key, by default the time."""

    key: str = "t"

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the message without the key."""
        return [{key: value for key, value in message.items() if key != self.key}]


class TimeAsString(MessageFault, frozen=True):
    """The time (`t`) is this string."""

    text: str = "2013-10-07T13:30:00Z"

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the message with the string as its time."""
        return [{**message, "t": self.text}]


class OutOfOrder(MessageFault, frozen=True):
    """The time (`t`) is this many seconds before the message's own time."""

    seconds: float = 60.0

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the message with the earlier time."""
        return [{**message, "t": _shifted_time(message, -self.seconds)}]


class Future(MessageFault, frozen=True):
    """The time (`t`) is this many seconds after the wall clock."""

    seconds: float = 3600.0

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the message with a time in the future."""
        return [{**message, "t": timestamp(time.time_ns() + int(self.seconds * 1e9))}]


class Duplicate(MessageFault, frozen=True):
    """The message appears `copies` times in one frame."""

    copies: int = 2

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the copies."""
        return [message] * self.copies


class Crossed(MessageFault, frozen=True):
    """The bid is above the ask by this many dollars."""

    by: float = 0.05

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the quote with the higher bid."""
        return [{**message, "bp": round(float(str(message["ap"])) + self.by, 4)}]


class Locked(MessageFault, frozen=True):
    """The bid equals the ask."""

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the quote with the ask as its bid."""
        return [{**message, "bp": message["ap"]}]


class ZeroSide(MessageFault, frozen=True):
    """Price and size of the bid, of the ask or of both are 0: there is no active quote on that side."""

    side: Side = "bid"

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the quote with zeros; each zero has the type of the size that it replaces, prices are floats."""
        zeros: Message = dict.fromkeys(PRICE_KEYS[self.side], 0.0)
        sizes: Message = {key: type(message[key])() for key in SIZE_KEYS[self.side]}
        return [{**message, **zeros, **sizes}]


class NanSide(MessageFault, frozen=True):
    """The price of the bid, of the ask or of both is not a number; as JSON it is the invalid token NaN."""

    side: Side = "bid"

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the quote with NaN prices."""
        return [{**message, **dict.fromkeys(PRICE_KEYS[self.side], math.nan)}]


def _shifted_time(message: Message, seconds: float) -> Timestamp:
    moment = message["t"]
    assert isinstance(moment, Timestamp)
    return timestamp(moment.to_unix_nano() + int(seconds * 1e9))
