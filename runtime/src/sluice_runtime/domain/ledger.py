"""The subscription of each symbol: desired, confirmed or rejected, from the provider's own acknowledgement."""

from __future__ import annotations

import heapq

import msgspec

from sluice_contract.documents import NAMES_SHOWN
from sluice_contract.symbol_counts import SymbolCounts, SymbolRejection

from .desired import Desired

_SHOWN = NAMES_SHOWN  # the limit of the status schema


class SubscriptionLedger(msgspec.Struct, frozen=True):
    """The symbols that the provider confirmed or rejected on the open connection."""

    confirmed: frozenset[str] = frozenset()
    rejected: tuple[SymbolRejection, ...] = ()

    def new_rejections(self, before: SubscriptionLedger) -> str:
        """Return the rejections that `before` does not have, as text for a log line; empty if there are none."""
        known = frozenset(before.rejected)
        new = [f"{each.symbol} ({each.message})" for each in self.rejected if each not in known]
        return f"{len(new)} symbols: {', '.join(new[:_SHOWN])}" if new else ""

    def to_symbol_counts(self, desired: Desired, received_count: int = 0) -> SymbolCounts:
        """Return the counts for the status: how many desired symbols are confirmed, pending, paused or rejected.

        `received_count` is the number of desired symbols from which data has arrived since the start. None of them is
        live without a confirmed subscription, for example while the job is paused.
        """
        symbols = desired.symbols
        confirmed = len(self.confirmed & symbols)
        rejected = [each for each in self.rejected if each.symbol in symbols]
        return SymbolCounts(
            live=f"{min(received_count, confirmed)}/{len(symbols)}",
            desired=len(symbols),
            confirmed=confirmed,
            pending=len(symbols) - confirmed - len(rejected),
            paused=len(desired.paused),
            rejected=len(rejected),
            rejections=rejected[:_SHOWN],
            unknown_paused_symbols=list(desired.unknown_paused[:_SHOWN]),
            paused_symbols=heapq.nsmallest(_SHOWN, desired.paused),
        )
