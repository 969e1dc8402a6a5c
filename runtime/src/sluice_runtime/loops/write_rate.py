"""How many quotes and bars the flusher can write now: by the limits of the job, and by its daily budget."""

from __future__ import annotations

from sluice_contract.limits import WriteLimits

from ..domain.token_bucket import TokenBucket
from ..state.write_budget import DailyWriteBudget


class WriteRate:
    """The token bucket for quotes, which refills at the pace of the daily budget if that is slower than the limits.

    While it is slower, bars take their tokens from the same bucket, and leave the quotes a fair share. Times are
    monotonic seconds.
    """

    def __init__(self, limits: WriteLimits, budget: DailyWriteBudget, at: float) -> None:
        self._budget = budget
        self._limits = limits
        self._pace: float | None = None
        self._bucket = TokenBucket(limits.writes_per_second, limits.burst, at)
        self._is_turn_of_bars = True

    def set_limits(self, limits: WriteLimits) -> None:
        """Apply the limits of the job from the next call on."""
        self._limits = limits

    def room_for_quotes(self, at: float) -> int:
        """Return how many quotes can be written at `at`."""
        self._apply_limits(at)
        return min(self._bucket.available_tokens(at), self._budget.room_for_data)

    def room_for_bars(self, at: float, has_quotes: bool) -> int:
        """Return how many bars can be written at `at`. `has_quotes` is whether quotes wait to be written."""
        room = self.room_for_quotes(at)
        if not self._is_pacing:
            return self._budget.room_for_data
        if not has_quotes:
            return room
        return (room + self._is_turn_of_bars) // 2

    def spend_on_quotes(self, count: int) -> None:
        """Record that quotes are written."""
        self._bucket.spend_tokens(count)
        self._is_turn_of_bars = self._is_turn_of_bars or count > 0

    def spend_on_bars(self, count: int) -> None:
        """Record that bars are written."""
        if self._is_pacing:
            self._bucket.spend_tokens(count)
            self._is_turn_of_bars = self._is_turn_of_bars and count == 0

    @property
    def _is_pacing(self) -> bool:
        return self._pace is not None and self._pace < self._limits.writes_per_second

    def _apply_limits(self, at: float) -> None:
        self._pace = self._budget.documents_per_second
        rate = float(self._limits.writes_per_second)
        self._bucket.set_limits(rate if self._pace is None else min(rate, self._pace), self._limits.burst, at)
