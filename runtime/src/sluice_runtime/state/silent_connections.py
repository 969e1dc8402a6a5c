"""Requests to replace a silent connection, from the freshness monitor and from the snapshots."""

from __future__ import annotations

from collections import defaultdict

from ..aio.latest_value import LatestValue
from ..domain.freshness import SilenceReactionLimiter
from ..domain.stream_activity import DataKind


class SilentConnections:
    """Counts the connections that were found silent. The supervisor replaces one at each increase of `count`.

    While `are_verified_by_snapshots` is True, only the provider's REST interface decides: if it has nothing newer
    either, the market is quiet, and a new connection would not help.
    """

    def __init__(self) -> None:
        self.count = LatestValue(0)
        self.are_verified_by_snapshots = False
        self._limiters: defaultdict[DataKind, SilenceReactionLimiter] = defaultdict(SilenceReactionLimiter)

    def set_verified_by_snapshots(self, *, is_verified: bool) -> None:
        """Set whether only the provider's REST interface decides, because it answers."""
        self.are_verified_by_snapshots = is_verified

    def try_request_replacement(self, kind: DataKind, at: float, *, is_silent: bool, has_ticked: bool) -> bool:
        """Request a new connection if `kind` of data is silent and the last replacement was long enough ago.

        The interval grows while replacements do not help, and starts again when such data has arrived (`has_ticked`).
        `at` is in monotonic seconds. Return True if a replacement was requested.
        """
        if not self._limiters[kind].try_acquire(is_silent, has_ticked, at):
            return False
        self.count.set(self.count.value + 1)
        return True
