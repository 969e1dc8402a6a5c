"""A real HTTP proxy: it opens tunnels (CONNECT), forwards plain requests, and fails on request."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Fault = Literal["none", "hang", "drop", "drop after CONNECT"]

_CHUNK_BYTES = 1 << 16


class ConnectProxy:
    """Set `credentials` to require them, `refusal` to answer each request with a status, or `fault`.

    `hosts` maps the host names that a client may ask for to addresses of this machine.
    """

    def __init__(self, *, credentials: str = "", refusal: int = 0, fault: Fault = "none") -> None:
        self.credentials = credentials
        self.refusal = refusal
        self.fault: Fault = fault
        self.hosts: dict[str, str] = {}
        self.asked: list[str] = []  # the host:port of each CONNECT, and the URL of each other request
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Listen on 127.0.0.1 while the context lasts; yields the proxy's URL, without credentials."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # asyncio's server callback cannot handle a cancelled task.
        with suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
            try:
                await self._serve(reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.splitlines()[0].split(" ", 2)
        self.asked.append(target)
        if self.fault == "hang":
            await asyncio.Event().wait()
        if self.fault == "drop":
            return
        if (status := self._refusal_of(head)) != 0:
            writer.write(f"HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            return
        if method == "CONNECT":
            await self._tunnel(target, reader, writer)
        else:
            await self._forward(head, target, reader, writer)

    def _refusal_of(self, head: str) -> int:
        if self.refusal:
            return self.refusal
        expected = f"Proxy-Authorization: Basic {base64.b64encode(self.credentials.encode()).decode()}"
        return 0 if not self.credentials or expected in head.splitlines() else 407

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        if self.fault != "drop after CONNECT":
            await self._copy_both_ways(target, b"", reader, writer)

    async def _forward(self, head: str, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place, _, path = url.partition("://")[2].partition("/")
        first, _, rest = head.partition("\r\n")
        await self._copy_both_ways(place, f"{first.replace(url, f'/{path}')}\r\n{rest}".encode(), reader, writer)

    async def _copy_both_ways(
        self, target: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(self.hosts.get(host, host.strip("[]")), int(port))
        back.write(head)
        copies = [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))]
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            back.close()  # first, because this task may be cancelled while it waits
            for each in copies:
                each.cancel()
            await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
