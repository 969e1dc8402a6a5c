"""Knows whether this job owns its documents: whether its heartbeat may be written, or another job's is fresh."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from sluice_contract.status import StreamFailure

from ..aio.latest_value import LatestValue
from ..aio.waiting import run_with_timeout
from ..domain.desired import Desired
from ..domain.failure import DocumentConflictError
from ..domain.heartbeat_owner import FRESH_INTERVALS

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

# How long a new process waits for the outcome of its first heartbeat before it connects to the provider.
_FIRST_OUTCOME_SECONDS = 3.0
# If only the heartbeat is refused, quotes wait no longer than this for it.
_CONFIRMATION_SECONDS = 60.0


class DocumentOwnership:
    """Holds the conflict with another job that writes the same documents, as the last heartbeat found it."""

    def __init__(
        self, desired: LatestValue[Desired], now: Callable[[], datetime], signal_transition: Callable[[], None]
    ) -> None:
        """`signal_transition` is called when a conflict begins or ends, so that it is reported immediately."""
        self._desired = desired
        self.conflict: LatestValue[StreamFailure | None] = LatestValue(None)
        self._now = now
        self._signal_transition = signal_transition
        self._writer = ""
        self._first_outcome = asyncio.Event()
        self._confirmed_at: tuple[float, datetime] | None = None  # the last accepted heartbeat

    def record_heartbeat_accepted(self) -> None:
        """Record that the heartbeat was written, so the documents belong to this job."""
        self._first_outcome.set()
        self._confirmed_at = asyncio.get_running_loop().time(), self._now()
        if self.conflict.value is not None:
            _log.warning("this job takes over the documents of %s", self._writer, extra=_STREAM)
            self._writer = ""
            self.conflict.set(None)
            self._signal_transition()

    def record_heartbeat_failed(self) -> None:
        """Record that Firestore did not accept the heartbeat. A conflict, if there is one, stays."""
        self._first_outcome.set()

    def record_conflict(self, error: DocumentConflictError) -> None:
        """Record that another job writes the documents. The message stays the same while that job writes."""
        self._first_outcome.set()
        if self.conflict.value is not None and error.writer == self._writer:
            return
        self._writer = error.writer
        _log.warning(error.message, extra={**_STREAM, "failure": "documentConflict"})
        self.conflict.set(StreamFailure(type="documentConflict", message=error.message, at=self._now()))
        self._signal_transition()

    async def wait_for_first_outcome(self) -> None:
        """Wait until the outcome of the first heartbeat is known, for at most 3 s: Firestore may be unreachable."""
        await run_with_timeout(_FIRST_OUTCOME_SECONDS, self._first_outcome.wait())

    async def wait_for_conflict(self) -> StreamFailure:
        """Wait until there is a conflict, and return it."""
        while (conflict := self.conflict.value) is None:
            await self.conflict.wait_for_change(self.conflict.version)
        return conflict

    async def wait_for_no_conflict(self) -> None:
        """Wait until there is no conflict."""
        while self.conflict.value is not None:
            await self.conflict.wait_for_change(self.conflict.version)

    @property
    def writes_must_wait(self) -> bool:
        """True while no document may be written.

        This is so during a conflict, and for up to 60 s if no heartbeat was accepted for three of its intervals: this
        process may have been frozen, and another job may have taken over meanwhile.
        """
        if self.conflict.value is not None:
            return True
        if self._confirmed_at is None:
            return False
        monotonic, wall = self._confirmed_at
        # Only the wall clock advances while the machine is suspended.
        silent = max(asyncio.get_running_loop().time() - monotonic, (self._now() - wall).total_seconds())
        fresh = FRESH_INTERVALS * self._desired.value.heartbeat.interval_seconds
        return 0 <= silent - fresh < _CONFIRMATION_SECONDS
