"""How long ago the watch of each kind last showed that it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sluice_contract import identity

_ALWAYS_WATCHED: Final = (identity.PLURAL, "pods")  # the API server may not serve the other kinds


class WatchAges:
    """The age of the last sign of each watch: an event, a bookmark, or that the API server has accepted the watch.

    The API server ends each watch after 290 s, so a watch of objects that never change is at most five minutes old. The
    age of jobs and pods starts when the process does; that of another kind, when it is watched for the first time.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns monotonic seconds."""
        self._clock = clock
        self._seen_at = dict.fromkeys(_ALWAYS_WATCHED, clock())

    def record_sign(self, plural: str) -> None:
        """Record that the watch of the kind works now."""
        self._seen_at[plural] = self._clock()

    def seconds_by_kind(self) -> dict[str, float]:
        """Return the seconds since the last sign of each watch, by the plural of its kind."""
        now = self._clock()
        return {plural: now - seen_at for plural, seen_at in self._seen_at.items()}
