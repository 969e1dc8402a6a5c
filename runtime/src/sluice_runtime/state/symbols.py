"""Sets of symbols that one loop fills and another one empties."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.desired import Desired


class RemovedSymbols:
    """The symbols that are no longer declared and whose documents are, or must be, deleted.

    The record writer finds symbols of earlier processes; the flusher deletes documents; the record writer records that.
    """

    def __init__(self) -> None:
        self._inherited: set[str] = set()
        self._deleted: set[str] = set()

    @property
    def inherited_symbols(self) -> frozenset[str]:
        """The symbols for which an earlier process of this job may have left documents, until they are taken."""
        return frozenset(self._inherited)

    @property
    def deleted_symbols(self) -> frozenset[str]:
        """The removed symbols whose documents have been deleted, until their removal is recorded."""
        return frozenset(self._deleted)

    def add_inherited(self, symbols: Iterable[str]) -> None:
        """Add symbols for which an earlier process of this job may have left documents."""
        self._inherited.update(symbols)

    def take_inherited(self) -> frozenset[str]:
        """Remove the inherited symbols, and return them."""
        taken = self.inherited_symbols
        self._inherited.clear()
        return taken

    def record_deleted(self, symbols: Iterable[str]) -> None:
        """Record that the documents of removed symbols have been deleted."""
        self._deleted.update(symbols)

    def forget_deleted(self, symbols: Iterable[str]) -> None:
        """Forget symbols that are declared again, or whose removal is recorded."""
        self._deleted.difference_update(symbols)


class SymbolsAwaitingSnapshot:
    """The symbols that were added, or have other channels, since the last snapshot."""

    def __init__(self) -> None:
        self._symbols: frozenset[str] = frozenset()

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols that no snapshot has covered since they were added."""
        return self._symbols

    def follow_desired(self, before: Desired, desired: Desired) -> None:
        """Add the symbols that are new in `desired`, and forget those that are not in it."""
        unchanged = before.symbols if desired.channels == before.channels else frozenset[str]()
        self._symbols = (self._symbols | (desired.symbols - unchanged)) & desired.symbols

    def take_symbols(self) -> frozenset[str]:
        """Remove all symbols, and return them."""
        taken, self._symbols = self._symbols, frozenset()
        return taken
