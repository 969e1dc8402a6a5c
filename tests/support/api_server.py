"""A fake API server with one IngestJob, for tests of the client that runs in the job's pod."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from support.runtime_fakes import JOB_UID
from support.web_server import serve_on_free_port

COLLECTION = "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestjobs"


def document(generation: int = 1, uid: str = JOB_UID, **spec: Any) -> dict[str, Any]:
    """Return an IngestJob as JSON."""
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "IngestJob",
        "metadata": {
            "name": "us",
            "namespace": "acme",
            "uid": uid,
            "generation": generation,
            "resourceVersion": str(100 + generation),
        },
        "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL"], **spec},
    }


class FakeApiServer:
    """Serve one IngestJob and its watch. `events` are the lines of the watch; None ends the response."""

    def __init__(self) -> None:
        self.object: dict[str, Any] | None = document()
        self.events: asyncio.Queue[dict[str, Any] | bytes | None] = asyncio.Queue()
        self.gets = 0
        self.watches: list[dict[str, str]] = []
        self.patches: list[tuple[dict[str, str], str, dict[str, Any]]] = []
        self.tokens: set[str] = set()
        self.answer: Callable[[], web.Response] | None = None
        self.untypable = False  # answer every apply with HTTP 500, as for an object that cannot be typed
        self.watching = True  # keep a watch open after its last event
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeApiServer]:
        """Serve on a free port while the context lasts."""
        app = web.Application()
        app.router.add_get(COLLECTION, self._watch)
        app.router.add_get(f"{COLLECTION}/us", self._get)
        app.router.add_patch(f"{COLLECTION}/us/status", self._patch)
        async with serve_on_free_port(app) as self.url:
            yield self

    def change(self, kind: str, changed: dict[str, Any]) -> None:
        """Store the object as changed, and send the event to the watch."""
        self.object = None if kind == "DELETED" else changed
        self.events.put_nowait({"type": kind, "object": changed})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        self.gets += 1
        if self.answer is not None:
            return self.answer()
        if self.object is None:
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        return web.json_response(self.object)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        self.watches.append(dict(request.query))
        response = web.StreamResponse()
        await response.prepare(request)
        while self.watching:
            event = await self.events.get()
            if event is None:
                break
            line = event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"
            await response.write(line)
        return response

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if self.answer is not None:
            return self.answer()
        self.patches.append((dict(request.query), request.content_type, await request.json()))
        if self.untypable and request.content_type == "application/apply-patch+yaml":
            return web.json_response({"kind": "Status", "message": "cannot be typed"}, status=500)
        return web.json_response(self.object)

    def _note(self, request: web.Request) -> None:
        self.tokens.add(request.headers["Authorization"])
