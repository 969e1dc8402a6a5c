"""Messages about trades of stocks: the trade itself, its cancellation and its correction.

Source: docs.alpaca.markets, "Real-time stock data". A client that subscribes to the trades of a symbol also receives
the cancellations (`x`) and corrections (`c`) of these trades.
"""

from dataclasses import dataclass
from typing import Literal

from msgpack import Timestamp

from sluice_relay.protocol.messages import Message, now


@dataclass(frozen=True)
class StockTrade:
    """A trade of a stock: the price in dollars, the size in shares, the venue's letter, sale conditions and tape."""

    symbol: str
    price: float
    size: int = 100
    id: int = 1
    exchange: str = "V"
    conditions: tuple[str, ...] = ("@",)
    tape: str = "C"

    def trade_message(self, at: Timestamp | None = None) -> Message:
        """Return the message (`t`) of the trade, stamped `at` or now."""
        return {
            "T": "t",
            "S": self.symbol,
            "i": self.id,
            "x": self.exchange,
            "p": self.price,
            "s": self.size,
            "c": list(self.conditions),
            "z": self.tape,
            "t": at or now(),
        }

    def cancellation_message(self, action: Literal["C", "E"] = "C") -> Message:
        """Return the message (`x`) that the trade is canceled (C) or was an error (E), stamped now."""
        return {
            "T": "x",
            "S": self.symbol,
            "i": self.id,
            "x": self.exchange,
            "p": self.price,
            "s": self.size,
            "a": action,
            "z": self.tape,
            "t": now(),
        }

    def correction_message(self, corrected: "StockTrade") -> Message:
        """Return the message (`c`) that `corrected` takes the place of the trade, stamped now."""
        return {
            "T": "c",
            "S": self.symbol,
            "x": self.exchange,
            "oi": self.id,
            "op": self.price,
            "os": self.size,
            "oc": list(self.conditions),
            "ci": corrected.id,
            "cp": corrected.price,
            "cs": corrected.size,
            "cc": list(corrected.conditions),
            "z": self.tape,
            "t": now(),
        }
