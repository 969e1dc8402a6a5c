"""The stored jobs that `sluice-operator check` reads."""

from __future__ import annotations

import msgspec
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.stored_jobs import read_stored_jobs
from support.web_server import serve_on_free_port

PAGES = {
    "": b'{"metadata":{"continue":"next"},"items":[{"metadata":{"name":"a","annotations":{"note":"kept"}}}]}',
    "next": b'{"metadata":{},"items":[{"metadata":{"name":"b","managedFields":' + b"[" * 3000 + b"]" * 3000 + b"}}]}",
}
URL = "/apis/sluice.dev/v1alpha1/ingestjobs"


async def test_each_page_is_read_whole_also_with_metadata_that_is_nested_too_deeply() -> None:
    async def respond(request: web.Request) -> web.Response:
        assert (request.path, request.query["limit"]) == (URL, "50")
        return web.Response(body=PAGES[request.query.get("continue", "")], content_type="application/json")

    app = web.Application()
    app.router.add_get(URL, respond)
    async with serve_on_free_port(app) as host, ApiClient(Configuration(host=host)) as client:
        found = [document async for document in read_stored_jobs(RequestSender(client), ())]
    assert msgspec.json.encode(found[0]) == b'{"metadata":{"name":"a","annotations":{"note":"kept"}}}'
    assert [document["metadata"]["name"] for document in found] == ["a", "b"]
