"""The states of the symbols whose quote documents must not say "live"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from sluice_contract.documents import QuoteState

from ..domain.coalescer import Coalescer
from ..domain.freshness import apply_halts
from ..domain.market import Halt


class QuoteStates:
    """Holds the states that the freshness monitor has found, corrected by each halt and resumption since then."""

    def __init__(self, coalescer: Coalescer) -> None:
        self._coalescer = coalescer
        self._states: dict[str, QuoteState] = {}

    @property
    def symbols_not_live(self) -> Set[str]:
        """The symbols with a state other than live."""
        return self._states.keys()

    def replace_states(self, states: Mapping[str, QuoteState]) -> None:
        """Replace all states by those of a new observation. Symbols without a state are live."""
        self._states = dict(states)

    def apply_halts(self, halts: Iterable[Halt]) -> None:
        """Apply halts and resumptions, in the order of arrival."""
        apply_halts(self._states, halts)

    def is_halted(self, symbol: str) -> bool:
        """Return True if the trading of a symbol is halted."""
        return self._states.get(symbol) == "halted"

    def state_of_document(self, symbol: str) -> QuoteState:
        """Return the status to write in a symbol's quote document.

        A symbol that has ticked since the last freshness check is live, not stale.
        """
        state = self._states.get(symbol, "live")
        return "live" if state == "stale" and self._coalescer.has_tick_since_last_check(symbol) else state
