"""The failure of the stream, and what is kept of it while the job is paused."""

from __future__ import annotations

from datetime import datetime

from sluice_contract.status import FailureType, StreamFailure


class FailureState:
    """Holds the failure that keeps the stream from being live, and the last failure that is not known to be over.

    The two differ only after a pause took effect: then nothing is wrong with the stream, which is closed as requested,
    but the cause of the failure may still exist, and readers need it to decide what to do before the job resumes.
    """

    def __init__(self) -> None:
        self.current: StreamFailure | None = None
        self.unresolved: StreamFailure | None = None

    def record(self, kind: FailureType, message: str, at: datetime) -> None:
        """Record a failure of the stream."""
        self.current = self.unresolved = StreamFailure(type=kind, message=message, at=at)

    def resolve(self) -> None:
        """Record that the stream is live and not impaired."""
        self.current = self.unresolved = None

    def keep_for_pause(self) -> None:
        """Record that a pause took effect."""
        self.current = None
