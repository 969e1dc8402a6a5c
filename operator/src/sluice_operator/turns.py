"""Keys in groups that take turns: a group with many keys delays the keys of another group by one key at most."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K")


class GroupTurns(Generic[K]):
    """Keys in the order in which they are served: one of each group in turn; within a group, first come, first served.

    Of each group at most `most_in_progress` keys are in progress at once: taken and not yet done. A group without keys
    takes no memory.
    """

    def __init__(self, group_of: Callable[[K], Hashable], most_in_progress: float = math.inf) -> None:
        """`group_of` returns the group of a key; the operator's groups are namespaces."""
        self._group_of = group_of
        self._most_in_progress = most_in_progress
        self._keys: dict[Hashable, deque[K]] = {}  # in the order of the groups' turns
        self._in_progress: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._keys.values()))

    def add(self, key: K) -> bool:
        """Add a key behind the other keys of its group. A group that had no key is served last.

        Return whether this key raises the number of keys that can be taken now.
        """
        group = self._group_of(key)
        keys = self._keys.setdefault(group, deque())
        keys.append(key)
        return len(keys) + self._in_progress.get(group, 0) <= self._most_in_progress

    def take(self) -> K:
        """Remove and return the first key of the group whose turn it is. The group's next turn comes last.

        Raises:
            StopIteration: there is no key, or each group with keys has as many in progress as it may have.
        """
        group = next(each for each in self._keys if self._in_progress.get(each, 0) < self._most_in_progress)
        keys = self._keys.pop(group)
        key = keys.popleft()
        if keys:
            self._keys[group] = keys
        self._in_progress[group] = self._in_progress.get(group, 0) + 1
        return key

    def mark_done(self, key: K) -> bool:
        """Mark a taken key as done. Return whether this raises the number of keys that can be taken now."""
        group = self._group_of(key)
        in_progress = self._in_progress.pop(group)
        if in_progress > 1:
            self._in_progress[group] = in_progress - 1
        return len(self._keys.get(group, ())) + in_progress > self._most_in_progress
