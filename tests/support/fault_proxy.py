"""An HTTP proxy in front of the API server of a devcluster, which applies one fault at an address."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from support import fault_plans as plans
from support.fault_plans import Address, Plan
from support.web_server import serve_on_free_port

REFUSED: Final = "refused"
SILENT: Final = "silent"
UNAVAILABLE: Final = "unavailable"
OUTAGES: Final = (REFUSED, SILENT, UNAVAILABLE)

_PASSED_REQUEST_HEADERS: Final = ("Accept", "Content-Type")
_PASSED_HEADERS: Final = ("Content-Type", "Retry-After", "Date")
_EXPIRED: Final = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}'
_BODY_BYTES: Final = 2**24
_NO_LIMIT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10)


class StaleLists:
    """The LISTs of an API server that lags behind: it answers as it did at some time, and its watches show nothing."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, str], bytes] = {}  # the last LIST, by its URL and its Accept header
        self._is_current = asyncio.Event()
        self._is_current.set()

    def begin(self) -> None:
        """Answer each LIST as it was last answered, and begin no watch, until `end`."""
        self._is_current.clear()

    def end(self) -> None:
        """Answer as the API server does, and begin the watches, at the versions of the stale LISTs."""
        self._is_current.set()

    def body(self, request: tuple[str, str], current: bytes) -> bytes:
        """Return the body of a LIST with this URL and this Accept header, whose current body is given."""
        if self._is_current.is_set():
            self._bodies[request] = current
        return self._bodies.get(request, current)

    async def wait_until_current(self) -> None:
        """Wait until the API server no longer lags behind."""
        await self._is_current.wait()


class FaultProxy:
    """Forwards requests with the certificate of the cluster's administrator, and counts them since it was armed."""

    def __init__(self, port: int, pki: Path, kill: Callable[[], None]) -> None:
        """`port` is that of the API server on 127.0.0.1. `kill` kills the client of this proxy, at once."""
        self.url = ""
        self.trace: list[Address] = []  # since the proxy was armed, without discovery and the watches themselves
        self.struck_at: float | None = None  # by time.monotonic
        self.ends_watches = False  # each watch ends with HTTP 410 at once
        self.stale_lists = StaleLists()
        self._outage = ""
        self._outage_is_over = asyncio.Event()
        self._watches: set[asyncio.Transport] = set()  # of the clients
        self._api_server = f"https://127.0.0.1:{port}"
        self._tls = ssl.create_default_context(cafile=pki / "ca.crt")
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._kill = kill
        self.plan = Plan("")  # of the fault since the proxy was armed
        self._is_armed = False
        self._counts: Counter[tuple[str, str]] = Counter()
        self._session: aiohttp.ClientSession

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve at `url` while the context lasts."""
        app = web.Application(client_max_size=_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._respond)
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_NO_LIMIT) as self._session,
            serve_on_free_port(app) as self.url,
        ):
            try:
                yield
            finally:
                self.stale_lists.end()
                self.break_watches()
                await self._session.close()  # so that the handlers end by themselves

    def arm(self, plan: Plan) -> None:
        """Count from now on, and apply the fault of the plan once."""
        self.trace, self._counts, self.plan = [], Counter(), plan
        self._is_armed, self.struck_at = True, None

    def disarm(self) -> None:
        """Forward all requests unchanged from now on."""
        self._is_armed = False

    def begin_outage(self, kind: str) -> None:
        """Answer no request, and end all watches: `refused`, `silent` (no answer at all) or `unavailable` (503)."""
        self._outage = kind
        self._outage_is_over.clear()
        self.break_watches()

    def break_watches(self) -> None:
        """End all watches. Their connections break."""
        for transport in list(self._watches):
            transport.abort()

    def end_outage(self) -> None:
        """Forward requests again. Those that were sent during a silent outage get no answer."""
        self._outage = ""
        self._outage_is_over.set()

    async def _fail(self, request: web.Request) -> web.Response:
        if self._outage == UNAVAILABLE:
            return web.json_response({"kind": "Status", "message": "outage"}, status=503, headers={"Retry-After": "1"})
        if self._outage == SILENT:
            await self._outage_is_over.wait()
        return self._cut_off(request)

    def _fault(self, verb: str, resource: str) -> str:
        """Count a request or an event. Return its fault, or an empty text."""
        if not self._is_armed:
            return ""
        self._counts[verb, resource] += 1
        address = Address(verb, resource, self._counts[verb, resource])
        self.trace.append(address)
        if self.struck_at is not None or address != self.plan.address:
            return ""
        self.struck_at = time.monotonic()
        return self.plan.fault

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if self._outage:
            return await self._fail(request)
        return await self._respond_with_fault(request)

    async def _respond_with_fault(self, request: web.Request) -> web.StreamResponse:
        resource, _ = plans.resource_of_path(request.path)
        verb = plans.verb_of_request(request.method, request.path, request.query.get("watch") == "true")
        if verb == plans.WATCH:
            return await self._forward_watch(request, resource)
        # The trials of the policies are dry runs, which come by time.
        fault = self._fault(verb, resource) if resource and "dryRun" not in request.query else ""
        if fault == plans.KILL_BEFORE:
            self._kill()
            return self._cut_off(request)
        status, headers, body = await self._forward(request)
        if verb == plans.LIST:
            body = self.stale_lists.body((request.path_qs, request.headers.get("Accept", "")), body)
        return await self._send_with_fault(request, web.Response(status=status, headers=headers, body=body), fault)

    async def _send_with_fault(self, request: web.Request, response: web.Response, fault: str) -> web.StreamResponse:
        if fault == plans.KILL_COMMITTED:
            self._kill()
        if fault in (plans.KILL_COMMITTED, plans.LOSE):
            return self._cut_off(request)
        if fault == plans.HOLD:
            await asyncio.sleep(plans.HOLD_SECONDS)
        if fault == plans.GARBLE and isinstance(response.body, bytes):
            response.body = response.body[: len(response.body) // 2]
        if fault == plans.KILL_ANSWERED:
            await response.prepare(request)
            await response.write_eof()
            self._kill()
        return response

    async def _forward(self, request: web.Request) -> tuple[int, dict[str, str], bytes]:
        async with self._session.request(
            request.method,
            self._api_server + request.path_qs,
            data=await request.read() or None,
            headers=_chosen(request.headers, _PASSED_REQUEST_HEADERS),
        ) as answer:
            return answer.status, _chosen(answer.headers, _PASSED_HEADERS), await answer.read()

    async def _forward_watch(self, request: web.Request, resource: str) -> web.StreamResponse:
        await self.stale_lists.wait_until_current()
        headers = _chosen(request.headers, _PASSED_REQUEST_HEADERS)
        async with self._session.get(self._api_server + request.path_qs, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers=_chosen(answer.headers, _PASSED_HEADERS))
            await response.prepare(request)
            transport = request.transport
            if transport is None:
                return response
            self._watches.add(transport)
            if self.ends_watches:
                await response.write(_EXPIRED + b"\n")
                self._watches.discard(transport)
                return response
            try:
                await self._forward_lines(answer.content, response, transport, resource)
            except aiohttp.ClientError:
                pass  # the connection to the API server has ended, also at the end of the test
            finally:
                self._watches.discard(transport)
            return self._cut_off(request) if transport.is_closing() else response

    async def _forward_lines(
        self, content: aiohttp.StreamReader, response: web.StreamResponse, client: asyncio.Transport, resource: str
    ) -> None:
        """Forward the lines of a watch until a side ends it. Abort the connection to the client if a fault ends it."""
        rest = b""
        async for part in content.iter_any():
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if client.is_closing() or not await self._send_line(response, resource, line):
                    client.abort()
                    return

    async def _send_line(self, response: web.StreamResponse, resource: str, line: bytes) -> bool:
        """Send a line of a watch with its fault. Return whether the watch goes on."""
        fault = "" if b'"type":"BOOKMARK"' in line[:40] else self._fault(plans.WATCH, resource)
        if fault == plans.LOSE:
            return False
        if fault == plans.HOLD:
            await asyncio.sleep(plans.HOLD_SECONDS)
        if fault == plans.GARBLE:
            line = line[: len(line) // 2]
        if fault == plans.EXPIRE:
            line = _EXPIRED
        try:
            await response.write(line + b"\n")
        except ConnectionError:
            return False
        return fault != plans.EXPIRE

    def _cut_off(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


def _chosen(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
