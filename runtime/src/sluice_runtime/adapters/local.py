"""What the providers that make their own quotes (synthetic, replay) have in common: nothing to connect to."""

from __future__ import annotations

import asyncio

from sluice_contract.spec import Channel

from ..ports import QUOTES, Listener


class LocalConnection:
    """A connection to nothing: every symbol is confirmed at once."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.symbols: frozenset[str] = frozenset()

    async def follow(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Makes `symbols` those that are passed on. There is no channel but quotes."""
        self.symbols = symbols
        self.listener.acknowledged(symbols, ())


class LocalSource:
    """What of a provider has no meaning without a peer."""

    async def wait_for_rotation(self) -> None:
        """Never: there are no credentials."""
        await asyncio.Event().wait()
