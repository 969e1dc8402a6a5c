"""Exponential backoff with full jitter."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Computes waits: uniform from 0 to `base` doubled with each failure, at most `cap`. `uniform` draws from a range.

    Callers reset it only after a success that lasted. Otherwise, a peer that accepts and then closes each connection
    would be called again without a wait.
    """

    def __init__(self, base: float, cap: float, uniform: Callable[[float, float], float]) -> None:
        self._base = base
        self._cap = cap
        self._uniform = uniform
        self._failures = 0

    def next_delay(self, *, at_least: float = 0.0) -> float:
        """Count a failure and return the seconds to wait."""
        ceiling = min(self._cap, self._base * 2 ** min(self._failures, 32))
        self._failures += 1
        return max(at_least, self._uniform(0.0, ceiling))

    def reset(self) -> None:
        """Reset the number of failures to zero."""
        self._failures = 0
