"""The part of the kubelet's HTTPS API for `kubectl logs` and `kubectl port-forward`. Only the API server calls it."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web

from sluice_devcluster.certificates import KUBELET_CLIENT
from sluice_devcluster.node import logs
from sluice_devcluster.node.addresses import HOST
from sluice_devcluster.node.containers import Container
from sluice_devcluster.node.port_forward import answer_port_forward
from sluice_devcluster.node.statuses import WaitingState

FindContainer = Callable[[str, str, str], Container | None]
FindAddress = Callable[[str, str], str | None]


class KubeletApi:
    """Serves the logs of containers, and the ports of pods, on a free port of 127.0.0.1."""

    def __init__(self, pki: Path, find: FindContainer, find_address: FindAddress) -> None:
        """`find` returns a container by namespace, pod and container name; `find_address` the address of a pod."""
        self._pki = pki
        self._find = find
        self._find_address = find_address
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Start to listen and return the port."""
        application = web.Application()
        application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._serve_logs)
        application.router.add_post("/portForward/{namespace}/{pod}", self._forward_port)
        application.router.add_get("/healthz", self._serve_health)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0, ssl_context=self._tls_context())
        await site.start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and end all responses."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _tls_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self._pki / "ca.crt")
        context.load_cert_chain(self._pki / "kubelet.crt", self._pki / "kubelet.key")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    async def _serve_health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _forward_port(self, request: web.Request) -> web.StreamResponse:
        _require_api_server(request)
        names = request.match_info
        address = self._find_address(names["namespace"], names["pod"])
        if address is None:
            raise web.HTTPNotFound(text=f'pod "{names["pod"]}" not found')
        return await answer_port_forward(request, address)

    async def _serve_logs(self, request: web.Request) -> web.StreamResponse:
        _require_api_server(request)
        names = request.match_info
        container = self._find(names["namespace"], names["pod"], names["container"])
        if container is None:
            raise web.HTTPNotFound(text=f'container "{names["container"]}" of pod "{names["pod"]}" not found')
        previous = request.query.get("previous") == "true"
        path = container.log_path(previous=previous)
        if path is None:
            raise web.HTTPBadRequest(text=_no_log_reason(container, names["pod"], previous=previous))
        # The log of an ended run is complete, so a reader does not follow it.
        live = None if previous else container.log
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await _send_log(response, path, live, request)
        return response


async def _send_log(
    response: web.StreamResponse, path: Path, live: logs.ContainerLog | None, request: web.Request
) -> None:
    limit = int(request.query["limitBytes"]) if "limitBytes" in request.query else None
    async for line in logs.read_log(path, live, parse_log_query(request.query, dt.datetime.now(dt.UTC))):
        piece = line if limit is None else line[:limit]
        await response.write(piece)
        if limit is not None:
            limit -= len(piece)
            if limit <= 0:
                return


def parse_log_query(query: Mapping[str, str], now: dt.datetime) -> logs.LogSelection:
    """Return the lines that a request's query selects; raise ValueError if the query is invalid."""
    since = None
    if "sinceTime" in query:
        since = dt.datetime.fromisoformat(query["sinceTime"])
    elif "sinceSeconds" in query:
        since = now - dt.timedelta(seconds=int(query["sinceSeconds"]))
    return logs.LogSelection(
        tail=int(query["tailLines"]) if "tailLines" in query else None,
        since=since,
        timestamps=query.get("timestamps") == "true",
        follow=query.get("follow") == "true",
    )


def _require_api_server(request: web.Request) -> None:
    certificate = request.transport.get_extra_info("peercert") if request.transport else None
    subject = dict(pair for part in (certificate or {}).get("subject", ()) for pair in part)
    if subject.get("commonName") != KUBELET_CLIENT:
        raise web.HTTPForbidden(text="only the API server may call the kubelet API")


def _no_log_reason(container: Container, pod: str, *, previous: bool) -> str:
    name = container.snapshot.name
    if previous:
        return f'previous terminated container "{name}" in pod "{pod}" not found'
    state = container.snapshot.state
    reason = state.reason if isinstance(state, WaitingState) else "ContainerCreating"
    return f'container "{name}" in pod "{pod}" is waiting to start: {reason}'
