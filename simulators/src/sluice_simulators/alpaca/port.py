"""The TCP port of the server: it listens, refuses connections for a time, and listens again."""

import asyncio
import contextlib
import socket
import ssl

from aiohttp import web

BACKLOG = 128


class ListeningPort:
    """The server's TCP port, which keeps its number while it refuses connections."""

    def __init__(self, runner: web.AppRunner, tls: ssl.SSLContext | None) -> None:
        """The port does not listen yet; `listen` sets up the runner."""
        self._runner = runner
        self._tls = tls
        self._site: web.SockSite | None = None
        self._reserved: socket.socket | None = None
        self._opening: asyncio.Task[None] | None = None
        self.address = ("", 0)

    async def listen(self, host: str, port: int) -> None:
        """Listen on the port (0: any free port); raise OSError if the port is taken."""
        await self._runner.setup()
        await self._listen_on(_bound_socket(host, port))

    async def refuse_connections(self, seconds: float | None) -> None:
        """Refuse new connections for `seconds`, or until `accept_connections` if None; open connections stay."""
        if self._site is None:
            return
        await self._site.stop()
        self._site = None
        # The port stays bound but does not listen: the kernel refuses connections, and no other program gets the port.
        self._reserved = _bound_socket(*self.address)
        if seconds is not None:
            self._opening = asyncio.create_task(self._accept_connections_after(seconds))

    async def accept_connections(self) -> None:
        """Listen again after `refuse_connections`."""
        if self._reserved is not None:
            reserved, self._reserved = self._reserved, None
            await self._listen_on(reserved)

    async def close(self) -> None:
        """Close the port and the runner."""
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
