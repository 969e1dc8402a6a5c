"""Base classes of the providers without a server (synthetic, replay)."""

from __future__ import annotations

import asyncio

from sluice_contract.spec import Channel

from ..ports import QUOTES, Listener


class LocalConnection:
    """A connection without a server: every symbol is confirmed immediately."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.symbols: frozenset[str] = frozenset()

    async def set_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Set the symbols whose quotes are passed to the listener, and confirm all of them.

        `channels` is ignored: a source without a server has only quotes.
        """
        self.symbols = symbols
        self.listener.on_acknowledgement(symbols, ())

    async def deliver_arrived_data(self) -> None:
        """Do nothing: data goes to the listener at once."""

    def start_closing(self) -> None:
        """Do nothing: there is no socket."""


class SourceWithoutServer:
    """The methods that are the same for all sources without a server."""

    async def wait_for_rotation(self) -> None:
        """Never return: there are no credentials."""
        await asyncio.Event().wait()
