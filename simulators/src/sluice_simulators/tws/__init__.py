"""A small IB Gateway: the part of TWS's socket protocol that market data needs, and departures from it when told to."""

from sluice_simulators.tws.server import TWSServer

__all__ = ["TWSServer"]
