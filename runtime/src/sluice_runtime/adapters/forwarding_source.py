"""A source that passes all calls on to another one. What needs some of its events extends it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..ports import Connection, Listener, Source


class ForwardingSource:
    """The wrapped source, whose connections report to the listener that `wrap_listener` makes of the given one."""

    def __init__(self, source: Source, wrap_listener: Callable[[Listener], Listener]) -> None:
        self.name = source.name
        self._source = source
        self._wrap_listener = wrap_listener

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        """Open a connection of the wrapped source."""
        async with self._source.connect(self._wrap_listener(listener)) as connection:
            yield connection

    async def wait_for_fix(self) -> None:
        await self._source.wait_for_fix()

    async def wait_for_rotation(self) -> None:
        await self._source.wait_for_rotation()
