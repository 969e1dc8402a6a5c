"""The state of the process itself: its identity, its source, and whether it works or stops."""

from __future__ import annotations

import msgspec

from sluice_contract.status import PreflightResult

from ..domain.health import RuntimeIdentity
from .instruments import Instruments


class ProcessState:
    """What is known of this process, for its reports."""

    def __init__(self, identity: RuntimeIdentity, instruments: Instruments) -> None:
        self.identity = identity
        self.feed: str | None = None  # the name of the source, such as alpaca:iex
        self.is_stopping = False
        self.loop_tick_at = instruments.now()
        self.preflight: PreflightResult | None = None
        self._instruments = instruments

    def raise_epoch(self, epoch: int) -> None:
        """Set a higher epoch, before any loop runs."""
        self.identity = msgspec.structs.replace(self.identity, epoch=epoch)

    def set_feed(self, name: str) -> None:
        """Set the name of the source of the quotes."""
        self.feed = name

    def record_loop_tick(self) -> None:
        """Record that the flush loop runs, which shows that the process is alive."""
        self.loop_tick_at = self._instruments.now()

    def record_preflight(self, result: PreflightResult) -> None:
        """Record the result of the checks of the provider's account, which is reported immediately."""
        self.preflight = result
        self._instruments.transitions.signal()

    def record_stop(self) -> None:
        """Record that the process is about to exit."""
        self.is_stopping = True
