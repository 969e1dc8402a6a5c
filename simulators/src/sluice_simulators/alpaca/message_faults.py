"""Faults of single data messages: unknown or missing parts, wrong times, implausible prices."""

import math
import time
from typing import Literal

from msgpack import Timestamp

from sluice_simulators.alpaca.faults import MessageFault
from sluice_simulators.alpaca.messages import Message, timestamp

Side = Literal["bid", "ask", "both"]
PRICE_KEYS = {"bid": ("bp",), "ask": ("ap",), "both": ("bp", "ap")}
SIZE_KEYS = {"bid": ("bs",), "ask": ("as",), "both": ("bs", "as")}


class UnknownType(MessageFault, frozen=True):
    """A `T` that no document has."""

    type_: str = "zz"

    def changed_messages(self, message: Message) -> list[Message]:
        """The same map under another `T`."""
        return [{**message, "T": self.type_}]


class UnknownKeys(MessageFault, frozen=True):
    """Keys that no document has, before and after the known ones."""

    def changed_messages(self, message: Message) -> list[Message]:
        """`T` stays first."""
        return [{"T": message["T"], "zz": {"n": [1, None]}, **message, "zy": "new"}]


class Missing(MessageFault, frozen=True):
    """A key is not there; the time unless told otherwise."""

    key: str = "t"

    def changed_messages(self, message: Message) -> list[Message]:
        """Without the key."""
        return [{key: value for key, value in message.items() if key != self.key}]


class TimeAsString(MessageFault, frozen=True):
    """`t` is this string."""

    text: str = "2013-10-07T13:30:00Z"

    def changed_messages(self, message: Message) -> list[Message]:
        """With the string."""
        return [{**message, "t": self.text}]


class OutOfOrder(MessageFault, frozen=True):
    """`t` is so many seconds before the message's own."""

    seconds: float = 60.0

    def changed_messages(self, message: Message) -> list[Message]:
        """Older."""
        return [{**message, "t": _shifted_time(message, -self.seconds)}]


class Future(MessageFault, frozen=True):
    """`t` is so many seconds after the wall clock."""

    seconds: float = 3600.0

    def changed_messages(self, message: Message) -> list[Message]:
        """From the future."""
        return [{**message, "t": timestamp(time.time_ns() + int(self.seconds * 1e9))}]


class Duplicate(MessageFault, frozen=True):
    """The message comes `copies` times in one frame."""

    copies: int = 2

    def changed_messages(self, message: Message) -> list[Message]:
        """Copies."""
        return [message] * self.copies


class Crossed(MessageFault, frozen=True):
    """The bid is above the ask by this many dollars."""

    by: float = 0.05

    def changed_messages(self, message: Message) -> list[Message]:
        """The bid moves."""
        return [{**message, "bp": round(float(str(message["ap"])) + self.by, 4)}]


class Locked(MessageFault, frozen=True):
    """The bid is the ask."""

    def changed_messages(self, message: Message) -> list[Message]:
        """The bid moves."""
        return [{**message, "bp": message["ap"]}]


class ZeroSide(MessageFault, frozen=True):
    """A side's price and size are 0: no active bid, ask, or either."""

    side: Side = "bid"

    def changed_messages(self, message: Message) -> list[Message]:
        """Zeros of the types that the fields have."""
        zeros: Message = dict.fromkeys(PRICE_KEYS[self.side], 0.0)
        sizes: Message = {key: type(message[key])() for key in SIZE_KEYS[self.side]}
        return [{**message, **zeros, **sizes}]


class NanSide(MessageFault, frozen=True):
    """A side's price is not a number (in JSON the word NaN, which is not JSON)."""

    side: Side = "bid"

    def changed_messages(self, message: Message) -> list[Message]:
        """NaN."""
        return [{**message, **dict.fromkeys(PRICE_KEYS[self.side], math.nan)}]


def _shifted_time(message: Message, seconds: float) -> Timestamp:
    moment = message["t"]
    assert isinstance(moment, Timestamp)
    return timestamp(moment.to_unix_nano() + int(seconds * 1e9))
