"""Keys in groups that take turns: a group with many keys delays the keys of another group by one key at most."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K")


class GroupTurns(Generic[K]):
    """Keys in the order in which they are served: one of each group in turn; within a group, first come, first served.

    A group without keys takes no memory.
    """

    def __init__(self, group_of: Callable[[K], Hashable]) -> None:
        """`group_of` returns the group of a key; the operator's groups are namespaces."""
        self._group_of = group_of
        self._keys: dict[Hashable, deque[K]] = {}  # in the order of the groups' turns

    def __len__(self) -> int:
        return sum(map(len, self._keys.values()))

    def add(self, key: K) -> None:
        """Add a key behind the other keys of its group. A group that had no key is served last."""
        self._keys.setdefault(self._group_of(key), deque()).append(key)

    def take(self) -> K:
        """Remove and return the first key of the group whose turn it is. The group's next turn comes last.

        Raises:
            StopIteration: there is no key.
        """
        group = next(iter(self._keys))
        keys = self._keys.pop(group)
        key = keys.popleft()
        if keys:
            self._keys[group] = keys
        return key
