"""One of many, now and then."""

from __future__ import annotations


class Sampler:
    """Lets one of each key through every `seconds`. Remembers the keys of that time only."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since = float("-inf")
        self._seen: set[str] = set()

    def takes(self, key: str, at: float) -> bool:
        """Whether this one is to be told. `at` is in monotonic seconds, and never goes back."""
        if at - self._since >= self._seconds:
            self._since = at
            self._seen.clear()
        if key in self._seen:
            return False
        self._seen.add(key)
        return True
