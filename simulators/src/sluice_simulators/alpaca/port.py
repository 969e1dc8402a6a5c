"""The TCP port of the server: listening, refusing connections for a while, listening again."""

import asyncio
import contextlib
import socket
import ssl

from aiohttp import web

BACKLOG = 128


class ListeningPort:
    """Keeps its number while it refuses."""

    def __init__(self, runner: web.AppRunner, tls: ssl.SSLContext | None) -> None:
        """Nothing listens yet; the runner is set up by `open`."""
        self._runner = runner
        self._tls = tls
        self._site: web.SockSite | None = None
        self._reserved: socket.socket | None = None
        self._opening: asyncio.Task[None] | None = None
        self.address = ("", 0)

    async def listen(self, host: str, port: int) -> None:
        """Listens; port 0 is any free one. Raises OSError if the port is taken."""
        await self._runner.setup()
        await self._listen_on(_bound_socket(host, port))

    async def refuse_connections(self, seconds: float | None) -> None:
        """Refuses connections, for a time or until `accept`; open ones stay."""
        if self._site is None:
            return
        await self._site.stop()
        self._site = None
        # Bound and not listening: connections are refused, and nobody else gets the port.
        self._reserved = _bound_socket(*self.address)
        if seconds is not None:
            self._opening = asyncio.create_task(self._accept_connections_after(seconds))

    async def accept_connections(self) -> None:
        """Listens again."""
        if self._reserved is not None:
            reserved, self._reserved = self._reserved, None
            await self._listen_on(reserved)

    async def close(self) -> None:
        """Closes the port and the runner."""
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._opening
        await self._runner.cleanup()
        if self._reserved is not None:
            self._reserved.close()

    async def _accept_connections_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.accept_connections()

    async def _listen_on(self, bound: socket.socket) -> None:
        host, port = bound.getsockname()[:2]
        self.address = (host, port)
        self._site = web.SockSite(self._runner, bound, ssl_context=self._tls, backlog=BACKLOG)
        await self._site.start()


def _bound_socket(host: str, port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
