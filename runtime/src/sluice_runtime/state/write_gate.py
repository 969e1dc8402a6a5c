"""The gate of the quote writes between the flusher, which writes, and the supervisor, which pauses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..aio.latest_value import LatestValue

GateState = Literal["OPEN", "DRAINING", "ABANDONED", "CLOSED"]
GateEvent = Literal["drain", "abandon", "close", "reopen"]

# OPEN: writes start on schedule. DRAINING: only pending quotes are written, without throttling. ABANDONED: the time of
# the drain is over, and writes in flight are cancelled. CLOSED: nothing is in flight, and nothing is written.
# A drain that was cancelled is continued by the next one, so "drain" is possible in every state.
GATE_TRANSITIONS: Mapping[tuple[GateState, GateEvent], GateState] = {
    ("OPEN", "drain"): "DRAINING",
    ("DRAINING", "drain"): "DRAINING",
    ("DRAINING", "abandon"): "ABANDONED",
    ("ABANDONED", "drain"): "ABANDONED",
    ("ABANDONED", "abandon"): "ABANDONED",
    ("ABANDONED", "close"): "CLOSED",
    ("CLOSED", "drain"): "CLOSED",
    ("CLOSED", "reopen"): "OPEN",
}


class WriteGate:
    """Holds the state of the gate. `GATE_TRANSITIONS` has all changes that are possible."""

    def __init__(self) -> None:
        self._state: LatestValue[GateState] = LatestValue("OPEN")

    @property
    def state(self) -> GateState:
        """The state of the gate."""
        return self._state.value

    @property
    def is_open(self) -> bool:
        """Return True if writes may start."""
        return self.state == "OPEN"

    @property
    def is_closed(self) -> bool:
        """Return True if nothing is in flight and nothing is written."""
        return self.state == "CLOSED"

    def apply(self, event: GateEvent) -> None:
        """Change the state.

        Raises:
            ValueError: the event is not possible in this state.
        """
        after = GATE_TRANSITIONS.get((self.state, event))
        if after is None:
            raise ValueError(f"a write gate that is {self.state} cannot {event}")
        self._state.set(after)

    async def wait_until_abandoned(self) -> None:
        """Wait until writes in flight must end."""
        while self.state not in ("ABANDONED", "CLOSED"):
            await self._state.wait_for_change(self._state.version)
