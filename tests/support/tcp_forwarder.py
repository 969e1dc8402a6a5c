"""A TCP forwarder whose connections have their own source address, so that a packet filter can distinguish them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK_BYTES = 1 << 16


@asynccontextmanager
async def tcp_forwarder(target_port: int, source_address: str) -> AsyncIterator[int]:
    """Forward connections to 127.0.0.1:`target_port` from `source_address`; yields the port to connect to."""
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        # asyncio's server callback cannot handle a cancelled task.
        with suppress(asyncio.CancelledError):
            await _forward(reader, writer, target_port, source_address)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target_port: int, source_address: str
) -> None:
    try:
        target_reader, target_writer = await asyncio.open_connection(
            "127.0.0.1", target_port, local_addr=(source_address, 0)
        )
    except OSError:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return
    try:
        copies = [
            asyncio.create_task(_copy(reader, target_writer)),
            asyncio.create_task(_copy(target_reader, writer)),
        ]
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
    finally:
        for each in (target_writer, writer):
            each.close()
            with suppress(ConnectionError):
                await each.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
