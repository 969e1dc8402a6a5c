"""A market-data server that speaks Alpaca's stream protocol, for tests, demonstrations and benchmarks."""

from support.alpaca.accounts import BASIC, Account, Plan
from support.alpaca.feeds import GeneratorFeed, TapeFeed
from support.alpaca.messages import quote_message, status_message, trade_message
from support.alpaca.server import AlpacaServer, Options

__all__ = [
    "BASIC",
    "Account",
    "AlpacaServer",
    "GeneratorFeed",
    "Options",
    "Plan",
    "TapeFeed",
    "quote_message",
    "status_message",
    "trade_message",
]
