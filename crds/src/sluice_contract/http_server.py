"""The HTTP server of both images: an aiohttp application with bounded connections, closed to web pages.

A web page in a user's browser can send requests to this machine and, by a name that it controls, to addresses in the
user's network. Such a request has an `Origin`, or a `Host` that is not the server's own. Both are refused.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from .http_connections import ConnectionBounds, ConnectionLimiter

BODY_BYTES: Final = 16 * 1024
_BOUNDS: Final = ConnectionBounds()
# asyncio accepts this many connections before it reads from any of them. It is far below the bound of connections, so
# that the connections behind a probe do not close it before its request is read.
_ACCEPTED_AT_ONCE: Final = 10
_QUEUED: Final = 1024  # connections that the kernel keeps until they are accepted
_SINGLE_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_CLUSTER_SUFFIXES: Final = (".svc", ".pod", ".cluster.local")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve_application(
    app: web.Application,
    listeners: Sequence[socket.socket],
    *,
    shutdown_seconds: float = 60.0,
    bounds: ConnectionBounds = _BOUNDS,
) -> AsyncIterator[None]:
    """Serve the application on these listeners while the context is open, and close them. They share the bounds.

    Create the application with `client_max_size=BODY_BYTES`, and the listeners with `create_listener`.
    """
    limiter: ConnectionLimiter | None = None

    @web.middleware
    async def bound_request(request: web.Request, handler: _Handler) -> web.StreamResponse:
        assert limiter is not None  # noqa: S101  the server listens only afterwards
        try:
            await _read_body(request)
            limiter.begin_request(request.transport)
            refuse_web_page(request)
            return await handler(request)
        finally:
            limiter.end_request(request.transport)

    app.middlewares.append(bound_request)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_seconds, lingering_time=0.0)
    await runner.setup()
    try:
        limiter = ConnectionLimiter(runner.server, bounds)  # type: ignore[arg-type]
        async with AsyncExitStack() as stack:
            for each in listeners:
                stack.callback((await _listen(each, limiter)).close)
            yield
    finally:
        await runner.cleanup()


def create_listener(host: str, port: int) -> socket.socket:
    """Return a socket at this address for `serve_application`. Port 0 chooses one.

    Raises:
        OSError: the address cannot be used.
    """
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


async def _listen(listener: socket.socket, limiter: ConnectionLimiter) -> asyncio.Server:
    server = await asyncio.get_running_loop().create_server(limiter, sock=listener, backlog=_ACCEPTED_AT_ONCE)
    listener.listen(_QUEUED)  # asyncio uses one number for both
    return server


async def _read_body(request: web.Request) -> None:
    """Read the body, which the application then has in memory, so that the request is complete."""
    if request.can_read_body:
        try:
            await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            sentence = f"the body has more than {BODY_BYTES} bytes; send a shorter one"
            raise web.HTTPRequestEntityTooLarge(
                max_size=BODY_BYTES, actual_size=0, reason=sentence, text=f"{sentence}\n"
            ) from error
        except ConnectionError as error:  # the limiter closed the connection, or the client did
            raise web.HTTPRequestTimeout(reason="the body did not arrive") from error


def refuse_web_page(request: web.Request) -> None:
    """Refuse a request that a web page may have made.

    Raises:
        HTTPForbidden: it has an `Origin`, or a `Host` that is not the server's own.
    """
    if "Origin" in request.headers:
        raise _forbidden("a web page may not call this interface; send the request without Origin")
    if not is_own_host(request.host):
        raise _forbidden("the Host is not this server; use its address, localhost or its name in the cluster")


def _forbidden(sentence: str) -> web.HTTPForbidden:
    return web.HTTPForbidden(reason=sentence, text=f"{sentence}\n")


def is_own_host(host: str) -> bool:
    """Return whether a `Host` header is an IP address, localhost, or a name that a cluster's DNS serves."""
    name = host.rsplit(":", 1)[0] if host.count(":") <= 1 else host.partition("]")[0].removeprefix("[")
    name = name.lower().rstrip(".")
    # A name without a dot is localhost or a Service of the namespace: no web page has such a name.
    if _SINGLE_LABEL.fullmatch(name) or name.endswith(_CLUSTER_SUFFIXES):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
