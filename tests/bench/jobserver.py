"""A fake Kubernetes API for the pod of one IngestJob: the job, a watch without events, its status and its Lease."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from sluice_contract import identity
from sluice_devcluster import certificates

NAMESPACE, NAME, UID = "bench", "bench", "0b0b"
_COLLECTION = f"/apis/{identity.API_VERSION}/namespaces/{NAMESPACE}/{identity.PLURAL}"
_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"


class JobServer:
    """Serves over TLS, with a certificate of its own authority."""

    def __init__(self, spec: dict[str, Any]) -> None:
        """Serve a job with `spec`, whose fields are named as in the document."""
        self.spec = spec
        self.stream: dict[str, Any] = {}  # the pod's part of the status, as last reported
        self.reports = 0
        self.port = 0
        self._leases: dict[str, dict[str, Any]] = {}

    @asynccontextmanager
    async def serving(self, account: Path) -> AsyncIterator[JobServer]:
        """Serve on a free port. `account` is a folder to create with the files that a mounted service account has."""
        certificates.write_pki(account)
        (account / "token").write_text("bench")
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(account / "apiserver.crt", account / "apiserver.key")
        app = web.Application()
        app.router.add_get(_COLLECTION, self._watch)
        app.router.add_get(f"{_COLLECTION}/{NAME}", self._get)
        app.router.add_patch(f"{_COLLECTION}/{NAME}/status", self._patch)
        app.router.add_get(f"{_LEASES}/{{name}}", self._lease)
        app.router.add_post(_LEASES, self._claim)
        app.router.add_put(f"{_LEASES}/{{name}}", self._claim)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _get(self, _: web.Request) -> web.Response:
        metadata = {"name": NAME, "namespace": NAMESPACE, "uid": UID, "generation": 1, "resourceVersion": "1"}
        document = {"apiVersion": identity.API_VERSION, "kind": identity.KIND, "metadata": metadata, "spec": self.spec}
        return web.json_response(document)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        # A bookmark each minute, as the API server sends them; without it, the pod considers the watch dead.
        while True:
            await asyncio.sleep(60)
            await response.write(b'{"type":"BOOKMARK","object":{}}\n')

    async def _patch(self, request: web.Request) -> web.Response:
        # The body is application/apply-patch+yaml; the pod sends JSON, which is valid YAML.
        self.stream = msgspec.json.decode(await request.read())["status"]["stream"]
        self.reports += 1
        return web.json_response({})

    async def _lease(self, request: web.Request) -> web.Response:
        found = self._leases.get(request.match_info["name"])
        return web.json_response(found, status=200 if found else 404)

    async def _claim(self, request: web.Request) -> web.Response:
        # There is only one pod, so no other pod can hold the Lease.
        lease: dict[str, Any] = msgspec.json.decode(await request.read())
        version = int(lease["metadata"].get("resourceVersion", "0"))
        lease["metadata"]["resourceVersion"] = str(version + 1)
        self._leases[lease["metadata"]["name"]] = lease
        return web.json_response(lease)
