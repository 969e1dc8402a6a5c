"""A server with the Lease of a connection slot, for the adapter that stores claims in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from sluice_contract.identity import InjectedJob
from sluice_contract.spec import IngestJobSpec
from sluice_runtime.adapters.api_session import ApiSession
from support.web_server import serve_on_free_port

LEASES = "/apis/coordination.k8s.io/v1/namespaces/acme/leases"


def job(name: str) -> InjectedJob:
    """Return the job as its pod gets it."""
    spec = IngestJobSpec(tenant="acme", provider="synthetic", symbols=["SPY"])
    return InjectedJob(namespace="acme", name=name, uid=f"uid-{name}", generation=1, epoch=1, project_id="p", spec=spec)


def owner(name: str) -> dict[str, Any]:
    """Return the owner reference to a job."""
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestJob", "name": name, "uid": f"uid-{name}"}


class PlainSession(ApiSession):
    """A session without certificates, because the server of this test has none."""

    def client_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session


class LeaseServer:
    """A server with one Lease, which checks resource versions as the API server does."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.refusal: int | None = None
        self.may_change_owners = True
        self.policy_sentence = ""  # with which each write is refused; empty: writes are accepted
        self.writes = 0
        self.tokens: set[str] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post(LEASES, self._create)
        app.router.add_get(f"{LEASES}/slot", self._read)
        app.router.add_put(f"{LEASES}/slot", self._replace)
        async with serve_on_free_port(app) as url:
            yield url

    async def _read(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers["Authorization"])
        if self.refusal is not None:
            return web.json_response({}, status=self.refusal)
        return web.json_response(self.lease, status=404 if self.lease is None else 200)

    async def _create(self, request: web.Request) -> web.Response:
        return await self._store(request) if self.lease is None else web.json_response({}, status=409)

    async def _replace(self, request: web.Request) -> web.Response:
        version = (await request.json())["metadata"]["resourceVersion"]
        return await self._store(request) if version == str(self.version) else web.json_response({}, status=409)

    async def _store(self, request: web.Request) -> web.Response:
        if self.policy_sentence:
            return web.json_response({"message": self.policy_sentence}, status=403)
        lease: dict[str, Any] = await request.json()
        before = (self.lease or {}).get("metadata", {}).get("ownerReferences", [])
        if not self.may_change_owners and lease["metadata"].get("ownerReferences", []) != before:
            return web.json_response({}, status=403)
        self.lease = lease
        self.writes += 1
        self.version += 1
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return web.json_response(self.lease)
