"""A server whose connections are bounded, with real sockets and aiohttp's own protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from sluice_contract.http_connections import ConnectionBounds, ConnectionLimiter
from support.deadlines import wait_for
from support.eventually import eventually

INCOMPLETE = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """A server on this machine, and its open connections."""

    def __init__(self, limiter: ConnectionLimiter, port: int) -> None:
        self.limiter = limiter
        self.port = port
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection and send the data."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(data)
        return reader, writer


@asynccontextmanager
async def serving(bounds: ConnectionBounds) -> AsyncIterator[Server]:
    """Serve /livez, and POST /slow, which answers when the body is complete."""
    limiters: list[ConnectionLimiter] = []

    @web.middleware
    async def report(request: web.Request, handler: Handler) -> web.StreamResponse:
        limiters[0].begin_request(request.transport)
        try:
            return await handler(request)
        finally:
            limiters[0].end_request(request.transport)

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def slow(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application(middlewares=[report], client_max_size=1000)
    app.add_routes([web.get("/livez", livez), web.post("/slow", slow)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    limiters.append(ConnectionLimiter(runner.server, bounds))
    listening = await asyncio.get_running_loop().create_server(limiters[0], "127.0.0.1", 0)
    server = Server(limiters[0], listening.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        for writer in server.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in server.writers), return_exceptions=True)
        listening.close()
        await runner.cleanup()


async def is_closed(reader: asyncio.StreamReader) -> None:
    """Wait until the server has closed the connection without an answer."""
    with suppress(ConnectionResetError):
        assert await wait_for(reader.read(), 10) == b""


@pytest.mark.parametrize("data", [b"", b"GET", INCOMPLETE], ids=["nothing", "a word", "half of the headers"])
async def test_an_incomplete_request_is_closed_in_time(data: bytes) -> None:
    async with serving(ConnectionBounds(request_seconds=0.2)) as server:
        reader, _ = await server.connect(data)
        await is_closed(reader)
        assert len(server.limiter) == 0


async def test_a_request_that_arrives_byte_by_byte_is_closed_in_time() -> None:
    async with serving(ConnectionBounds(request_seconds=0.3)) as server:
        reader, writer = await server.connect()

        async def drip() -> None:
            for byte in INCOMPLETE * 100:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        await is_closed(reader)
        dripping.cancel()


@pytest.mark.parametrize("size", [1, 1000], ids=["byte by byte", "in large pieces"])
async def test_headers_that_are_too_long_in_all_are_closed_at_once(size: int) -> None:
    async with serving(ConnectionBounds(header_bytes=4000)) as server:
        reader, writer = await server.connect(b"GET /livez HTTP/1.1\r\n")
        headers = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 90) for number in range(60))
        for at in range(0, len(headers), size):
            writer.write(headers[at : at + size])
        await is_closed(reader)


async def test_a_request_in_many_pieces_is_answered_and_the_connection_is_kept() -> None:
    async with serving(ConnectionBounds()) as server:
        reader, writer = await server.connect()
        for _ in range(3):
            for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n":
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            assert (await wait_for(reader.readuntil(b"\r\n\r\nok"), 10)).startswith(b"HTTP/1.1 200")
        assert len(server.limiter) == 1
        writer.close()
        await eventually(lambda: len(server.limiter) == 0)


async def test_an_idle_connection_is_closed_after_its_own_time() -> None:
    async with serving(ConnectionBounds(request_seconds=9, idle_seconds=0.2)) as server:
        reader, _ = await server.connect(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await wait_for(reader.read(), 10)).endswith(b"ok")


async def test_a_body_that_is_too_long_is_answered_and_one_without_end_is_closed() -> None:
    async with serving(ConnectionBounds(body_bytes=5000)) as server:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{server.port}/slow", data=b"x" * 2000) as answer,
        ):
            assert answer.status == 413
        reader, _ = await server.connect(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" + b"x" * 6000)
        await is_closed(reader)


async def test_of_too_many_connections_the_one_that_has_waited_longest_is_closed() -> None:
    async with serving(ConnectionBounds(connections=3)) as server:
        opened = [await server.connect(INCOMPLETE) for _ in range(3)]
        await eventually(lambda: len(server.limiter) == 3)
        for number in range(5):
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{server.port}/livez") as answer,
            ):
                assert (answer.status, len(server.limiter)) == (200, 3)
            if number == 0:
                await is_closed(opened[0][0])
        opened[2][1].write(b"\r\n")
        assert (await wait_for(opened[2][0].readuntil(b"ok"), 10)).startswith(b"HTTP/1.1 200")


async def test_a_request_that_is_answered_is_not_closed_for_an_incomplete_one() -> None:
    async with serving(ConnectionBounds(connections=2)) as server:
        busy, writer = await server.connect(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        await asyncio.sleep(0.05)
        for _ in range(4):
            await server.connect(INCOMPLETE)
        await eventually(lambda: len(server.limiter) == 2)
        writer.write(b"ab")
        assert (await wait_for(busy.readuntil(b"\r\n\r\n2"), 10)).startswith(b"HTTP/1.1 200")
