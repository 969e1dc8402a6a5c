"""The parts of a scenario that faults act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sluice_simulators.alpaca import AlpacaServer
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
    wrong_trade: dict[str, Any] = field(default_factory=dict)
