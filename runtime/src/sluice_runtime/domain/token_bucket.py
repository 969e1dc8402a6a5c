"""A token bucket that limits the rate of document writes."""

from __future__ import annotations


class TokenBucket:
    """Limits a rate: it refills at `rate` tokens per second, up to `burst`, and is full at the start.

    Times are monotonic seconds.
    """

    def __init__(self, rate: float, burst: int, at: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = at

    def set_limits(self, rate: float, burst: int, at: float) -> None:
        """Change the limits. Tokens in the bucket stay, up to the new burst."""
        self._refill(at)
        self._rate, self._burst = rate, burst
        self._tokens = min(self._tokens, float(burst))

    def available_tokens(self, at: float) -> int:
        """Return the number of whole tokens at `at`."""
        self._refill(at)
        # Rounding: a flush every 0.2 s earns 3.9999999999999996 tokens at 20 per second.
        return int(self._tokens + 1e-6)

    def spend_tokens(self, count: int) -> None:
        """Remove `count` tokens from the bucket, never below zero. Callers check `available_tokens` first."""
        self._tokens = max(0.0, self._tokens - count)

    def _refill(self, at: float) -> None:
        self._tokens = min(float(self._burst), self._tokens + (at - self._at) * self._rate)
        self._at = at
