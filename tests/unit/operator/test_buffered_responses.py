"""kopf's responses other than LISTs and watches: none of them ends the process, whatever its body is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from kopf._cogs.clients.errors import APIError, APITooManyRequestsError, check_response

from sluice_operator.adapters.buffered_responses import BufferedResponse, DocumentResponse
from support.web_server import serve_on_free_port

REAL_TIME = True
BODIES = [b"", b"<html>", b"\xff", b'{"message": "\xff"}', b"null", b"[]", b'{"kind": "Status"', b"[" * 100_000]


@asynccontextmanager
async def session(
    respond: Callable[[], web.Response], kind: type[aiohttp.ClientResponse] = DocumentResponse
) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a session with a server that answers each GET in this way."""

    async def answer(_: web.Request) -> web.Response:
        return respond()

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with serve_on_free_port(app) as url, aiohttp.ClientSession(url, response_class=kind) as found:
        yield found


async def test_a_body_is_read_into_one_buffer() -> None:
    async with (
        session(lambda: web.Response(body=b"{}"), BufferedResponse) as client,
        client.get("/version") as response,
    ):
        assert await response.read() == b"{}"


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/api", "/apis", "/apis/sluice.dev/v1alpha1"])
async def test_a_document_that_is_not_json_is_an_error_that_kopf_retries(path: str, body: bytes) -> None:
    async with session(lambda: web.Response(body=body)) as kopf:
        with pytest.raises(aiohttp.ClientConnectionError, match=f"GET {path}: the response is not"):
            await kopf.get(path)


@pytest.mark.parametrize(("path", "body"), [("/api", b"{}"), ("/apis", b'{"groups": {}}')])
async def test_a_document_without_the_fields_that_kopf_reads_is_such_an_error_too(path: str, body: bytes) -> None:
    async with session(lambda: web.Response(body=body)) as kopf:
        with pytest.raises(aiohttp.ClientConnectionError, match="not the expected JSON object"):
            await kopf.get(path)


async def test_a_document_is_read_whatever_its_content_type_is() -> None:
    async with session(lambda: web.Response(body=b'{"groups": []}')) as kopf, kopf.get("/apis") as response:
        assert await response.json() == {"groups": []}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
async def test_the_body_of_a_failure_leaves_kopf_the_error_of_its_status(status: int, body: bytes) -> None:
    async with session(lambda: web.Response(body=body, status=status)) as kopf, kopf.get("/apis") as response:
        with pytest.raises(APIError) as found:
            await check_response(response)
    assert found.value.status == status


async def test_a_failure_whose_body_breaks_off_leaves_kopf_the_error_of_its_status() -> None:
    def broken() -> web.Response:
        return web.Response(body=b"no gzip", status=503, headers={"Content-Encoding": "gzip"})

    async with session(broken) as kopf, kopf.get("/apis") as response:
        with pytest.raises(APIError) as found:
            await check_response(response)
    assert found.value.status == 503


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", "7"), ("1.5", "2"), ("Mon, 30 Nov 2026 12:00:20 GMT", "20"), ("inf", "1"), ("soon", "1"), (None, "1")],
)
async def test_kopf_gets_retry_after_as_whole_seconds(text: str | None, seconds: str) -> None:
    headers: dict[str, Any] = {"Date": "Mon, 30 Nov 2026 12:00:00 GMT"} | ({"Retry-After": text} if text else {})
    async with (
        session(lambda: web.Response(body=b"{}", status=429, headers=headers)) as kopf,
        kopf.get("/apis") as response,
    ):
        with pytest.raises(APITooManyRequestsError) as found:
            await check_response(response)
    assert found.value.headers["Retry-After"] == seconds
