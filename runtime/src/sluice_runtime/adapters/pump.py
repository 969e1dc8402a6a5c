"""What the providers that make their own quotes (synthetic, replay) have in common: nothing to connect to."""

from __future__ import annotations

from ..ports import Listener


class LocalConnection:
    """A connection to nothing: every symbol is confirmed at once."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.symbols: frozenset[str] = frozenset()

    async def follow(self, symbols: frozenset[str]) -> None:
        """Makes `symbols` those that are passed on."""
        self.symbols = symbols
        self.listener.acknowledged(symbols, ())
