"""A value shared by tasks. Only the newest value matters: a waiter may miss values in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """A value and its version, which rises with each change. A task that waits never misses the last change."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.version = 0
        self._changed = asyncio.Event()
        self._callbacks: tuple[Callable[[], None], ...] = ()

    def set(self, value: T) -> None:
        """Replace the value, call all callbacks, and wake all waiting tasks. Setting an equal value does nothing."""
        if value == self.value:
            return
        self.value = value
        self.version += 1
        try:
            for callback in self._callbacks:
                callback()
        finally:
            self._changed.set()
            self._changed = asyncio.Event()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Within the context, call `callback` in each `set` that changes the value, before any waiting task runs."""
        self._callbacks = (*self._callbacks, callback)
        try:
            yield
        finally:
            self._callbacks = tuple(each for each in self._callbacks if each != callback)

    async def wait_for_change(self, seen_version: int) -> int:
        """Wait until the version differs from `seen_version`, and return the new version."""
        while self.version == seen_version:
            await self._changed.wait()
        return self.version


async def wait_for_any_change(*seen: tuple[LatestValue[Any], int]) -> None:
    """Wait until the version of at least one value differs from the version given with it."""
    changes = [asyncio.ensure_future(value.wait_for_change(version)) for value, version in seen]
    try:
        await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for change in changes:
            change.cancel()
