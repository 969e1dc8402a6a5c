"""The parts of a scenario that faults act on."""

from __future__ import annotations

from dataclasses import dataclass

from sluice_simulators.alpaca import AlpacaServer
from sluice_simulators.alpaca.trades import StockTrade
from support.pausable_relay import PausableRelay
from week.market import SimulatedMarket
from week.scaled_time import VirtualClock


@dataclass
class World:
    """The provider, the market, the clocks, and the relay between the runtime and Firestore."""

    server: AlpacaServer
    market: SimulatedMarket
    clock: VirtualClock
    firestore_relay: PausableRelay
    wrong_trade: StockTrade | None = None
