"""The helpers that make a port unreachable for all clients except those of one forwarder."""

from __future__ import annotations

import asyncio

import pytest

from support.tcp_forwarder import tcp_forwarder
from support.unreachable_port import unreachable_port

SPARED = "127.0.0.9"


class EchoServer:
    """Sends back what it receives."""

    def __init__(self) -> None:
        self.handlers: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.handlers.add(task)
        while data := await reader.read(100):
            writer.write(data)
        writer.close()
        await writer.wait_closed()


async def _answer(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    try:
        return await reader.readexactly(5)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_an_unreachable_port_can_be_reached_only_through_the_forwarder() -> None:
    echo = EchoServer()
    server = await asyncio.start_server(echo.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, tcp_forwarder(port, SPARED) as forwarded:
        assert await _answer(port) == b"hello"
        with unreachable_port(port, SPARED):
            assert await _answer(forwarded) == b"hello"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_answer(port), 0.5)
        assert await _answer(port) == b"hello"
    await asyncio.wait(echo.handlers)
