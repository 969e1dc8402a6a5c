"""A relay that makes its open connections half-open."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.half_open_relay import HalfOpenRelay


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.write(b"end")
    writer.close()


@pytest.fixture
async def relay() -> AsyncIterator[HalfOpenRelay]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server:
        yield HalfOpenRelay(*server.sockets[0].getsockname())


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_bytes_and_the_end_are_relayed_both_ways(relay: HalfOpenRelay) -> None:
    async with relay.listening() as address:
        reader, writer = await _connect(address)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b"end"
        writer.close()


async def test_an_open_connection_falls_silent_without_an_end_and_a_new_one_works(relay: HalfOpenRelay) -> None:
    async with relay.listening() as address:
        reader, writer = await _connect(address)
        writer.write(b"hello")
        await reader.readexactly(5)
        assert relay.silence_open_connections() == 1
        writer.write(b"lost")
        writer.write_eof()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read(1)
        new_reader, new_writer = await _connect(address)
        new_writer.write(b"hello")
        assert await new_reader.readexactly(5) == b"hello"
        assert (relay.connections, relay.silence_open_connections()) == (2, 1)
        for each in (writer, new_writer):
            each.close()
