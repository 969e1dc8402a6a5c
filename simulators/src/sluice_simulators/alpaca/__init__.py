"""A server that simulates Alpaca's market-data stream, for tests, demonstrations and benchmarks."""

from sluice_simulators.alpaca.accounts import BASIC, Account, Plan
from sluice_simulators.alpaca.feeds import GeneratorFeed, TapeFeed
from sluice_simulators.alpaca.messages import quote_message, status_message, trade_message
from sluice_simulators.alpaca.server import AlpacaServer, ServerOptions

__all__ = [
    "BASIC",
    "Account",
    "AlpacaServer",
    "GeneratorFeed",
    "Plan",
    "ServerOptions",
    "TapeFeed",
    "quote_message",
    "status_message",
    "trade_message",
]
