"""A fake API server with the pause objects of one namespace, for tests of the pod's watch of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from support.web_server import serve_on_free_port

COLLECTION = "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestpauses"


def pause(name: str, version: int, **spec: Any) -> dict[str, Any]:
    """Return an IngestPause as JSON."""
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "spec": {"reason": "vendor", **spec}}


class FakePauseServer:
    """Serve the pauses in `objects`, in pages, and their watch. A `status` other than 200 answers each request,
    and a `watch_status` each watch.

    Without `speaks_websocket`, a watch is served over plain HTTP, also if the client asks for a WebSocket.
    """

    def __init__(self, *, speaks_websocket: bool = True) -> None:
        """There are no pauses at first."""
        self.speaks_websocket = speaks_websocket
        self.answers_pings = True
        self.pings = 0
        self.websockets: list[web.Request] = []  # the requests that opened them
        self.objects: dict[str, dict[str, Any]] = {}
        self.version = 1
        self.status = 200
        self.watch_status = 200
        self.lists: list[dict[str, str]] = []
        self.metadata_reads = 0
        self.refusals = 0
        self.watches: list[dict[str, str]] = []
        self.events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakePauseServer]:
        """Serve on a free port while the context lasts."""
        app = web.Application()
        app.router.add_get(COLLECTION, self._get)
        async with serve_on_free_port(app) as self.url:
            yield self

    def store(self, name: str, **spec: Any) -> dict[str, Any]:
        """Store a pause, without an event."""
        self.version += 1
        self.objects[name] = pause(name, self.version, **spec)
        return self.objects[name]

    def change(self, name: str, **spec: Any) -> None:
        """Store a pause and send its event."""
        kind = "MODIFIED" if name in self.objects else "ADDED"
        self.events.put_nowait({"type": kind, "object": self.store(name, **spec)})

    def delete(self, name: str) -> None:
        """Delete a pause and send its event."""
        self.events.put_nowait({"type": "DELETED", "object": self.objects.pop(name)})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if self.status != 200:
            self.refusals += 1
            return web.json_response({"kind": "Status", "code": self.status}, status=self.status)
        if "watch" in request.query:
            if self.watch_status != 200:
                return web.json_response({"kind": "Status", "code": self.watch_status}, status=self.watch_status)
            return await self._watch(request)
        is_of_metadata = "PartialObjectMetadataList" in request.headers["Accept"]
        if is_of_metadata:
            self.metadata_reads += 1
        else:
            self.lists.append(dict(request.query))
        first, limit = int(request.query.get("continue", "0")), int(request.query["limit"])
        names = sorted(self.objects)
        metadata: dict[str, Any] = {"resourceVersion": str(self.version)}
        if first + limit < len(names):
            metadata["continue"] = str(first + limit)
        items = [self.objects[name] for name in names[first : first + limit]]
        # kube-apiserver 1.34 answers null instead of an empty list of metadata.
        return web.json_response({"metadata": metadata, "items": (items or None) if is_of_metadata else items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        if not self.speaks_websocket and "Upgrade" in request.headers:
            return web.Response(status=400)  # as a proxy that knows no WebSockets
        self.watches.append(dict(request.query))
        if self.speaks_websocket:
            return await self._serve_websocket(request)
        response = web.StreamResponse()
        await response.prepare(request)
        while (event := await self.events.get()) is not None:
            await response.write(_line(event))
        return response

    async def _serve_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Send each event as a message, and close the WebSocket after the last one, as the API server does."""
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.websockets.append(request)
        answering = asyncio.create_task(self._answer_pings(socket))
        try:
            while (event := await self.events.get()) is not None:
                await socket.send_str(_line(event).decode())
        finally:
            answering.cancel()
        await socket.close()
        return socket

    async def _answer_pings(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            self.pings += message.type is WSMsgType.PING
            if message.type is WSMsgType.PING and self.answers_pings:
                await socket.pong(message.data)


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"
