"""The tape of the throughput bench as messages, also with a trade after each fourth quote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sluice_relay.protocol.messages import Message, timestamp
from sluice_simulators.alpaca import StockTrade, quote_message
from sluice_simulators.tapes import TapeQuote

QUOTES_PER_TRADE = 4
# The conditions of common trades: most are odd lots, one in five is outside of regular hours.
_CONDITIONS = (("@",), ("@", "I"), ("@", "F"), ("@", "F", "I"), ("@", "T"))


def tape_messages(quotes: Sequence[TapeQuote], *, with_trades: bool) -> list[Message]:
    """Return the messages of these quotes, with a trade after each fourth of them if `with_trades` is true."""
    return list(_with_trades(quotes)) if with_trades else [quote_message(quote) for quote in quotes]


def _with_trades(quotes: Sequence[TapeQuote]) -> Iterator[Message]:
    for number, quote in enumerate(quotes):
        yield quote_message(quote)
        if number % QUOTES_PER_TRADE == 0:
            conditions = _CONDITIONS[number // QUOTES_PER_TRADE % len(_CONDITIONS)]
            trade = StockTrade(quote.symbol, quote.ask, 100, id=number, exchange="D", conditions=conditions)
            yield trade.trade_message(timestamp(quote.time_ms * 1_000_000))
