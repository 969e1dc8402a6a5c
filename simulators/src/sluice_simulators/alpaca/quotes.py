"""Messages of quotes: of stocks, and of currency pairs, which have other fields."""

from msgpack import Timestamp

from sluice_relay.protocol.messages import Message, timestamp
from sluice_simulators.tapes import TapeQuote


def quote_message(quote: TapeQuote, at: Timestamp | None = None) -> Message:
    """Return the message of a quote: a crypto quote if its symbol has a slash; `at` replaces the quote's own time."""
    moment = at or timestamp(quote.time_ms * 1_000_000)
    return _crypto_quote_message(quote, moment) if "/" in quote.symbol else _stock_quote_message(quote, moment)


def _stock_quote_message(quote: TapeQuote, moment: Timestamp) -> Message:
    return {
        "T": "q",
        "S": quote.symbol,
        "bx": quote.exchange,
        "bp": quote.bid,
        "bs": int(quote.bid_size),
        "ax": quote.exchange,
        "ap": quote.ask,
        "as": int(quote.ask_size),
        "c": ["R"],
        "z": "C",
        "t": moment,
    }


def _crypto_quote_message(quote: TapeQuote, moment: Timestamp) -> Message:
    return {
        "T": "q",
        "S": quote.symbol,
        "bp": quote.bid,
        "bs": float(quote.bid_size),
        "ap": quote.ask,
        "as": float(quote.ask_size),
        "t": moment,
    }
