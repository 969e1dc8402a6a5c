"""A work queue that passes each key on at once, for tests of what adds keys."""

from __future__ import annotations

from collections.abc import Callable

from sluice_operator.domain.objects import Key


class EveryKey:
    """Implements `informer_cache.KeyQueue` by one function, which gets each key at once."""

    def __init__(self, add: Callable[[Key], object] = lambda _: None) -> None:
        self._add = add

    def add(self, key: Key) -> None:
        self._add(key)

    def add_changed(self, key: Key) -> None:
        self._add(key)

    def add_soon(self, key: Key) -> None:
        self._add(key)
