"""The last changes of the stream's state, with their causes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sluice_contract.status import StreamFailure, StreamState
from sluice_contract.stream_parts import StateChange

from ..domain.desired import is_unread
from ..domain.pause import PauseInForce

_MAX_CHANGES = 10
# The states that last. A reconnection passes through the others within seconds.
_LASTING_STATES: frozenset[StreamState] = frozenset({"Live", "Paused", "BackingOff", "Blocked", "Finished", "Stopped"})


class StreamHistory:
    """The last 10 changes to a state that lasts, the newest first. Those of the previous process are taken over."""

    def __init__(self) -> None:
        self.changes: tuple[StateChange, ...] = ()

    def record_state(
        self, state: StreamState, at: datetime, pause: PauseInForce | None, failure: StreamFailure | None
    ) -> None:
        """Record a new state, with the pause or the failure that is its cause.

        The state in which a process waits for its job is not recorded: it says nothing about the stream.
        """
        if state not in _LASTING_STATES or (state == "Paused" and is_unread(pause)):
            return
        reason, message = None, None
        if state == "Paused" and pause is not None:
            reason, message = pause.source, pause.reason
        elif state in ("BackingOff", "Blocked") and failure is not None:
            reason, message = failure.type, failure.message
        change = StateChange(at=at, state=state, reason=reason, message=message)
        self.changes = (change, *self.changes)[:_MAX_CHANGES]

    def inherit(self, earlier: Iterable[StateChange]) -> None:
        """Put the changes that the previous process of the job reported behind those of this process."""
        self.changes = (*self.changes, *earlier)[:_MAX_CHANGES]
