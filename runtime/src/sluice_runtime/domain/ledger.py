"""Per symbol: desired, confirmed or rejected, from the provider's own acknowledgement."""

from __future__ import annotations

import msgspec

from sluice_contract.status import SymbolLedger, SymbolRejection

from .desired import Desired

_SHOWN = 20  # as many as the schema lets into the status


class Ledger(msgspec.Struct, frozen=True):
    """What the provider acknowledged on the connection that is open now."""

    confirmed: frozenset[str] = frozenset()
    rejected: tuple[SymbolRejection, ...] = ()

    def against(self, desired: Desired) -> SymbolLedger:
        """The ledger as the status shows it."""
        symbols = desired.symbols
        confirmed = len(self.confirmed & symbols)
        rejected = [each for each in self.rejected if each.symbol in symbols]
        return SymbolLedger(
            live=f"{confirmed}/{len(symbols)}",
            desired=len(symbols),
            confirmed=confirmed,
            pending=len(symbols) - confirmed - len(rejected),
            paused=len(desired.paused),
            rejected=len(rejected),
            rejections=rejected[:_SHOWN],
            unknown_paused=list(desired.unknown_paused[:_SHOWN]),
        )
