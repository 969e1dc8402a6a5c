"""A small simulated IB Gateway: the part of TWS's socket protocol that market data needs, with faults on request."""

from sluice_simulators.tws.server import TWSServer

__all__ = ["TWSServer"]
