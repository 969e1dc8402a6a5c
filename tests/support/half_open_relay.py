"""A relay in front of a TCP server that can make its open connections half-open.

It simulates a NAT gateway, load balancer or node that forgets a connection: from then on, the relay delivers neither
data nor the end of the stream, in either direction, and neither side gets an error. New connections work at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class HalfOpenRelay:
    """Relays bytes to `host`:`port`. `connections` counts every connection that it accepted."""

    def __init__(self, host: str, port: int) -> None:
        self.connections = 0
        self._host = host
        self._port = port
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Accept connections on a free port of 127.0.0.1. Yields its host:port."""
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield "{}:{}".format(*listener.sockets[0].getsockname())
        finally:
            listener.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def silence_open_connections(self) -> int:
        """Deliver nothing more on the connections that are open now; returns their number."""
        silenced = len(self._open)
        for connection in self._open:
            connection.is_silent = True
        self._open.clear()
        return silenced

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._relay(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(self._host, self._port)
        connection = _Connection()
        self._open.add(connection)
        try:
            await asyncio.gather(connection.deliver(reader, server_writer), connection.deliver(server_reader, writer))
        finally:
            self._open.discard(connection)
            server_writer.close()


class _Connection:
    """The two directions of one connection."""

    def __init__(self) -> None:
        self.is_silent = False

    async def deliver(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward the data of one side and its end. A silent connection discards both, and stays open."""
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.is_silent:
                    writer.write(data)
                    await writer.drain()
        if self.is_silent:
            await asyncio.Event().wait()
        with suppress(OSError):
            writer.write_eof()
