"""The status of the connection slot, as it is reported."""

from __future__ import annotations

from sluice_contract.status import ConnectionSlotStatus

from .instruments import Transitions


class ConnectionSlotState:
    """Holds who has the connection slot; None if the job neither has it nor waits for it."""

    def __init__(self, transitions: Transitions) -> None:
        self.status: ConnectionSlotStatus | None = None
        self._transitions = transitions

    def set_status(self, status: ConnectionSlotStatus | None) -> bool:
        """Set the status, and return True if it has changed. A change is reported immediately."""
        if status == self.status:
            return False
        self.status = status
        self._transitions.signal()
        return True
