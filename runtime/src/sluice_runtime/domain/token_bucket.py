"""A token bucket: how many documents may be written now."""

from __future__ import annotations


class TokenBucket:
    """`rate` tokens a second, at most `burst` of them saved up. Full at the start. Times are monotonic seconds."""

    def __init__(self, rate: float, burst: int, at: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = at

    def limit(self, rate: float, burst: int, at: float) -> None:
        """Changes the limits; what was saved up stays, up to the new burst."""
        self._refill(at)
        self._rate, self._burst = rate, burst
        self._tokens = min(self._tokens, float(burst))

    def available(self, at: float) -> int:
        """Whole tokens there are at `at`."""
        self._refill(at)
        # A flush every fifth of a second earns 3.9999999999999996 tokens of 20 a second.
        return int(self._tokens + 1e-6)

    def spend(self, count: int) -> None:
        """Takes `count` tokens. Asked for `available` first, it never goes below none."""
        self._tokens = max(0.0, self._tokens - count)

    def _refill(self, at: float) -> None:
        self._tokens = min(float(self._burst), self._tokens + (at - self._at) * self._rate)
        self._at = at
