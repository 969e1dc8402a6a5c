"""A small stock market in virtual time: it sends quotes and trades to the subscribers of the Alpaca simulator."""

from __future__ import annotations

import random
from datetime import datetime

from msgpack import Timestamp

from sluice_relay.protocol.messages import Message, status_message
from sluice_simulators.alpaca import AlpacaServer
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.alpaca.trades import StockTrade
from sluice_simulators.tapes import TapeQuote
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
                quote = self._next_quote_message(symbol)
                self._server.rest.snapshots[symbol] = {"latestQuote": _as_rest(quote, self._clock.provider_now())}
                if symbol not in self.silent:
                    messages.append(quote)
        self._trade_due -= seconds
        if self._trade_due <= 0 and TRADED not in self.halted:
            self._trade_due = _TRADE_SECONDS * factor
            messages.append(self.trade_message(self.next_trade(self.prices[TRADED])))
        return await self._server.send(messages) if messages else 0

    def next_trade(self, price: float) -> StockTrade:
        """Return a trade at `price`, with a new ID."""
        self._trade_id += 1
        return StockTrade(TRADED, price, id=self._trade_id)

    def trade_message(self, trade: StockTrade) -> Message:
        """Return the message of a trade."""
        return trade.trade_message(self._stamp())

    def cancellation_message(self, trade: StockTrade) -> Message:
        """Return the message that cancels a trade."""
        return trade.cancellation_message() | {"t": self._stamp()}

    def trading_status_message(self, symbol: str, code: str) -> Message:
        """Return the message that a symbol is halted (code H) or trades again (code T)."""
        return status_message(symbol, code) | {"t": self._stamp()}

    def _next_quote_message(self, symbol: str) -> Message:
        price = self.prices[symbol] = round(self.prices[symbol] * (1 + self._random.uniform(-1e-4, 1e-4)), 2)
        bid, ask = (0.01, 199_999.99) if symbol in self.stub_quotes else (price - 0.01, price + 0.01)
        return quote_message(TapeQuote(0, symbol, round(bid, 2), 100, round(ask, 2), 100), self._stamp())

    def _stamp(self) -> Timestamp:
        return Timestamp.from_datetime(self._clock.provider_now())


def _as_rest(quote: Message, now: datetime) -> Message:
    return {**{name: value for name, value in quote.items() if name not in ("T", "S")}, "t": now.isoformat()}
