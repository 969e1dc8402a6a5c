"""Sampling of log lines."""

from __future__ import annotations


class LogSampler:
    """Admits each key once per period of `seconds`. Only the keys of the current period are remembered."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since = float("-inf")
        self._seen: set[str] = set()

    def admit_once_per_period(self, key: str, at: float) -> bool:
        """Return True for the first call with `key` in a period, and False for later ones.

        `at` is in monotonic seconds and never goes back.
        """
        if at - self._since >= self._seconds:
            self._since = at
            self._seen.clear()
        if key in self._seen:
            return False
        self._seen.add(key)
        return True
