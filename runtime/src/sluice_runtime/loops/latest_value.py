"""A value that tasks share: the newest counts, and nobody is owed the ones before."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """Holds the newest value. Waiting for a change never misses one, and never sees the same one twice."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.version = 0
        self._changed = asyncio.Event()

    def set(self, value: T) -> None:
        """Replaces the value and wakes all who wait. An equal value wakes nobody."""
        if value == self.value:
            return
        self.value = value
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, since: int) -> int:
        """Returns the version as soon as it is not `since`."""
        while self.version == since:
            await self._changed.wait()
        return self.version


async def any_changed(*seen: tuple[LatestValue[Any], int]) -> None:
    """Returns when one of the cells has another version than was seen of it."""
    changes = [asyncio.ensure_future(cell.changed(version)) for cell, version in seen]
    try:
        await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for change in changes:
            change.cancel()
