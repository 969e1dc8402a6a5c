"""Exponential backoff with full jitter."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Computes the delay before the next attempt: exponential backoff with full jitter.

    Each delay is drawn by `uniform` from the range between 0 and a ceiling. The ceiling starts at `base` seconds and
    doubles with each failure, up to `cap` seconds.

    Callers reset it only after a success that lasted. Otherwise, there would be no delay before the next attempt at a
    peer that accepts and then closes each connection.
    """

    def __init__(self, base: float, cap: float, uniform: Callable[[float, float], float]) -> None:
        self._base = base
        self._cap = cap
        self._uniform = uniform
        self._failures = 0

    def next_delay(self, *, at_least: float = 0.0) -> float:
        """Count a failure, and return the seconds to wait before the next attempt."""
        ceiling = min(self._cap, self._base * 2 ** min(self._failures, 32))
        self._failures += 1
        return max(at_least, self._uniform(0.0, ceiling))

    def reset(self) -> None:
        """Reset the number of failures to zero."""
        self._failures = 0
