"""How long to wait before trying again: exponential, with full jitter."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Seconds to wait: uniform in 0 to `base` doubled with each failure, at most `cap`. `uniform(low, high)` is chance.

    A success resets it only when it has lasted: a peer that accepts and then hangs up at once, again and again, would
    else be called at once, again and again.
    """

    def __init__(self, base: float, cap: float, uniform: Callable[[float, float], float]) -> None:
        self._base = base
        self._cap = cap
        self._uniform = uniform
        self._failures = 0

    def wait(self, *, at_least: float = 0.0) -> float:
        """Counts a failure and returns how long to wait."""
        ceiling = min(self._cap, self._base * 2 ** min(self._failures, 32))
        self._failures += 1
        return max(at_least, self._uniform(0.0, ceiling))

    def reset(self) -> None:
        """Forgets the failures."""
        self._failures = 0
