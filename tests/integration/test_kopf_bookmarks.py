"""What the delivery of objects relies on in kopf, with the pinned kopf and a server that plays the API server.

kopf takes the version at which it continues a watch from bookmarks too, and starts no task for a bookmark.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import kopf
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_contract import identity
from sluice_operator import handlers
from sluice_operator.adapters.delivering_responses import create_delivering_response_class
from sluice_operator.adapters.page_turn import PageTurn
from sluice_operator.informer_cache import ClusterState
from sluice_operator.kopf_login import KopfLogin
from sluice_operator.watch_delivery import WatchDelivery
from support.eventually import eventually
from support.every_key import EveryKey
from support.web_server import serve_on_free_port

API = f"/apis/{identity.API_VERSION}"
SPEC = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]}
VERBS = ["list", "watch", "get"]


def job(version: int, name: str = "feed") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "acme", "uid": name, "resourceVersion": str(version), "generation": 1}
    return {"metadata": metadata, "spec": SPEC}


class JobServer:
    """Serves a LIST with one job at version 10, and the given events: the n-th watch delivers the n-th of them."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.watched_from: list[str] = []
        self._events = events
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._respond)
        async with serve_on_free_port(app) as self.url:
            yield

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path.endswith(identity.PLURAL) and "watch" in request.query:
            return await self._watch(request)
        if "watch" in request.query:
            await asyncio.Event().wait()
        return web.json_response(self._document(path))

    def _document(self, path: str) -> dict[str, Any]:
        if path in ("/api", "/apis"):
            version = {"groupVersion": identity.API_VERSION, "version": identity.VERSION}
            group = {"name": identity.GROUP, "versions": [version], "preferredVersion": version}
            return {"versions": ["v1"]} if path == "/api" else {"groups": [group]}
        if path == API:
            return {"resources": [resource(identity.PLURAL, identity.KIND)]}
        if path == "/api/v1":
            # kopf starts no watch before it knows the namespaces.
            return {"resources": [resource("pods", "Pod"), resource("namespaces", "Namespace") | {"namespaced": False}]}
        items = [job(7)] if path.endswith(identity.PLURAL) else []
        return {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "10"}, "items": items}

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self.watched_from.append(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        if len(self.watched_from) > len(self._events):
            await asyncio.Event().wait()
        await response.write(json.dumps(self._events[len(self.watched_from) - 1]).encode() + b"\n")
        return response


def resource(plural: str, kind: str) -> dict[str, Any]:
    return {"name": plural, "singularName": kind.lower(), "kind": kind, "namespaced": True, "verbs": VERBS}


class IgnoredAccess:
    """Implements `WatchAccess`."""

    def record_refusal(self, plural: str, status: int) -> None:
        pass

    def record_watch(self, plural: str) -> None:
        pass


async def test_kopf_continues_after_each_delivered_object_and_starts_no_task_for_it() -> None:
    events = [
        {"type": "ADDED", "object": job(12, "second")},
        {"type": "MODIFIED", "object": job(15)},
        {"type": "DELETED", "object": job(18, "second")},
    ]
    server, store, stop, workers = JobServer(events), ClusterState(EveryKey()), asyncio.Event(), set[str]()
    async with server.serving(), ApiClient(Configuration(host=server.url)) as client:
        deliver = WatchDelivery(store).deliver

        def deliver_and_look(*event: Any) -> str:
            workers.update(each.get_name() for each in asyncio.all_tasks() if each.get_name().startswith("worker for"))
            return deliver(*event)

        responses = create_delivering_response_class(PageTurn(), deliver_and_look)
        login = KopfLogin(client, lambda: None, responses, IgnoredAccess())
        running = asyncio.create_task(
            kopf.operator(
                registry=handlers.kopf_registry(store, login),
                settings=handlers.kopf_settings(),
                clusterwide=True,
                standalone=True,
                stop_flag=stop,
            )
        )
        await eventually(lambda: len(server.watched_from) == len(events) + 1)
        stop.set()
        await running
    assert server.watched_from == ["10", "12", "15", "18"]
    found = {key: value.metadata.resource_version for key in store.jobs if (value := store.jobs.get(key))}
    assert (found, workers) == ({("acme", "feed"): "15"}, set())
