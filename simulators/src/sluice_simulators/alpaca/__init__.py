"""A server that simulates Alpaca's market-data stream, for tests, demonstrations and benchmarks."""

from sluice_relay.protocol.messages import status_message
from sluice_simulators.alpaca.accounts import BASIC, Account, Plan
from sluice_simulators.alpaca.feeds import GeneratorFeed, TapeFeed
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.alpaca.server import AlpacaServer, ServerOptions
from sluice_simulators.alpaca.trades import StockTrade

__all__ = [
    "BASIC",
    "Account",
    "AlpacaServer",
    "GeneratorFeed",
    "Plan",
    "ServerOptions",
    "StockTrade",
    "TapeFeed",
    "quote_message",
    "status_message",
]
