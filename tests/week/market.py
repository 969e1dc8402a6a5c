"""A small stock market in virtual time: it sends quotes and trades to the subscribers of the Alpaca simulator."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from msgpack import Timestamp

from sluice_simulators.alpaca import AlpacaServer
from week.scaled_time import VirtualClock

# The seconds between two quotes of each symbol in the regular session. In extended hours, they are 20 times as long.
SECONDS_BETWEEN_QUOTES = {"SPY": 1.0, "AAPL": 1.0, "ABC": 2.0, "XYZ": 2.0, "THIN": 40.0}
BUSY_SYMBOLS = tuple(symbol for symbol, seconds in SECONDS_BETWEEN_QUOTES.items() if seconds <= 2.0)
NEVER_QUOTED = "FB"  # renamed: the provider acknowledges it, and has no quotes of it
TRADED = "XYZ"
EXTENDED_HOURS_FACTOR = 20.0
_TRADE_SECONDS = 10.0


class SimulatedMarket:
    """The quotes and trades of all symbols. `prices` has the true price of each.

    Quotes of `silent` symbols are not sent, but the REST interface has them. `stub_quotes` has symbols whose market
    makers quote 0.01 to 199,999.99. `halted` symbols are neither quoted nor traded.
    """

    def __init__(self, server: AlpacaServer, clock: VirtualClock, seed: int = 1) -> None:
        self.prices = dict.fromkeys(SECONDS_BETWEEN_QUOTES, 100.0)
        self.silent: set[str] = set()
        self.stub_quotes: set[str] = set()
        self.halted: set[str] = set()
        self._server = server
        self._clock = clock
        self._random = random.Random(seed)
        self._due = dict.fromkeys(SECONDS_BETWEEN_QUOTES, 0.0)
        self._trade_due = 0.0
        self._trade_id = 0

    async def send_due(self, seconds: float, *, is_regular: bool) -> int:
        """Send what is due after `seconds` of trading since the last call. Return the number of messages sent."""
        factor = 1.0 if is_regular else EXTENDED_HOURS_FACTOR
        messages = []
        for symbol, pace in SECONDS_BETWEEN_QUOTES.items():
            self._due[symbol] -= seconds
            if self._due[symbol] <= 0 and symbol not in self.halted:
                self._due[symbol] = pace * factor
                quote = self._next_quote(symbol)
                self._server.rest.snapshots[symbol] = {"latestQuote": _as_rest(quote, self._clock.provider_now())}
                if symbol not in self.silent:
                    messages.append(quote)
        self._trade_due -= seconds
        if self._trade_due <= 0 and TRADED not in self.halted:
            self._trade_due = _TRADE_SECONDS * factor
            messages.append(self.next_trade(self.prices[TRADED]))
        return await self._server.send(messages) if messages else 0

    def next_trade(self, price: float) -> dict[str, Any]:
        """Return the message of a trade at `price`, with a new ID."""
        self._trade_id += 1
        trade = {"T": "t", "S": TRADED, "i": self._trade_id, "x": "V", "p": price, "s": 100, "c": ["@"], "z": "C"}
        return {**trade, "t": self._stamp()}

    def cancellation(self, trade: dict[str, Any]) -> dict[str, Any]:
        """Return the message that cancels a trade."""
        fields = {"i": trade["i"], "x": trade["x"], "p": trade["p"], "s": trade["s"], "a": "C", "z": trade["z"]}
        return {"T": "x", "S": trade["S"], **fields, "t": self._stamp()}

    def trading_status(self, symbol: str, code: str) -> dict[str, Any]:
        """Return the message that a symbol is halted (code H) or trades again (code T)."""
        return {"T": "s", "S": symbol, "sc": code, "sm": "", "rc": "", "rm": "", "z": "C", "t": self._stamp()}

    def _next_quote(self, symbol: str) -> dict[str, Any]:
        price = self.prices[symbol] = round(self.prices[symbol] * (1 + self._random.uniform(-1e-4, 1e-4)), 2)
        bid, ask = (0.01, 199_999.99) if symbol in self.stub_quotes else (price - 0.01, price + 0.01)
        sides = {"bx": "V", "bp": round(bid, 2), "bs": 100, "ax": "V", "ap": round(ask, 2), "as": 100}
        return {"T": "q", "S": symbol, **sides, "c": ["R"], "z": "C", "t": self._stamp()}

    def _stamp(self) -> Timestamp:
        return Timestamp.from_datetime(self._clock.provider_now())


def _as_rest(quote: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {**{name: value for name, value in quote.items() if name not in ("T", "S")}, "t": now.isoformat()}
