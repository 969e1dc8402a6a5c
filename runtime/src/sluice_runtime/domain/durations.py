"""How long the stream has been in each of its states, and for how long the job has been paused."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from sluice_contract.status import StreamState

from .histogram import Histogram

# Of the seconds from a pause to its acknowledgement: closing takes at most 2 s, a flush at most 3 s.
_PAUSE_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0)


class StreamStateTimes:
    """Measures the time in each state of the stream. A clock that goes back adds nothing."""

    def __init__(self) -> None:
        self.since: datetime | None = None  # when the current state began
        self._state: StreamState | None = None
        self._seconds: dict[StreamState, float] = dict.fromkeys(get_args(StreamState), 0.0)

    def enter_state(self, state: StreamState, at: datetime) -> None:
        """Record that the stream is in another state from `at` on."""
        self._seconds = self.seconds_by_state(at)
        self._state, self.since = state, at

    def seconds_by_state(self, at: datetime) -> dict[StreamState, float]:
        """Return the seconds in each state until `at`, including those of the current state."""
        found = dict(self._seconds)
        if self._state is not None:
            found[self._state] += _seconds_between(self.since, at)
        return found


class PauseTimes:
    """Measures for how long the job is paused, and how long it takes to acknowledge a pause."""

    def __init__(self) -> None:
        self.seconds_to_acknowledgement = Histogram(_PAUSE_BOUNDS)
        self._seconds = 0.0
        self._paused_since: datetime | None = None
        self._unacknowledged_since: datetime | None = None

    def follow(self, at: datetime, *, is_paused: bool) -> None:
        """Record whether a switch pauses the job from `at` on."""
        if is_paused == (self._paused_since is not None):
            return
        self._seconds = self.paused_seconds(at)
        self._paused_since = self._unacknowledged_since = at if is_paused else None

    def acknowledge(self, at: datetime) -> None:
        """Record that the pause is in effect. A pause from before the process streamed has nothing to acknowledge."""
        if self._unacknowledged_since is not None:
            self.seconds_to_acknowledgement.observe(_seconds_between(self._unacknowledged_since, at))
            self._unacknowledged_since = None

    def paused_seconds(self, at: datetime) -> float:
        """Return for how many seconds the job was paused until `at`, since the process started."""
        return self._seconds + _seconds_between(self._paused_since, at)


def _seconds_between(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since is not None else 0.0
