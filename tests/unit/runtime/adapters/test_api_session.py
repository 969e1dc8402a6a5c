import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from sluice_runtime.adapters.api_session import ApiServer, ApiSession, kubernetes_error_message, stream_json_lines
from support.job_client import credentials
from support.web_server import serve_on_free_port

__all__ = ["credentials"]

REAL_TIME = True


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/slow":
            response = web.StreamResponse()
            await response.prepare(request)
            for part in (b'{"a"', b":1}\n{", b'"a":2}\n'):
                await response.write(part)
            return response
        return web.json_response({"authorization": request.headers["Authorization"]})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with serve_on_free_port(app) as found:
        yield found


async def test_after_a_close_the_next_request_opens_another_connection(url: str, credentials: Path) -> None:
    session = ApiSession(ApiServer(url=url, credentials=credentials))
    for _ in range(2):
        async with session.get(f"{url}/", {}, aiohttp.ClientTimeout(total=5)) as response:
            assert await response.json() == {"authorization": "Bearer bound-token"}
        await session.close()


async def test_lines_are_complete_however_they_arrive(url: str, credentials: Path) -> None:
    session = ApiSession(ApiServer(url=url, credentials=credentials))
    async with session.get(f"{url}/slow", {}, aiohttp.ClientTimeout(total=5)) as response:
        assert [line async for line in stream_json_lines(response)] == [{"a": 1}, {"a": 2}]
    await session.close()


def test_the_message_of_a_status_is_its_own_and_else_the_beginning_of_the_answer() -> None:
    assert kubernetes_error_message(msgspec.json.encode({"kind": "Status", "message": "forbidden"})) == "forbidden"
    assert kubernetes_error_message(b"<html>bad gateway") == "<html>bad gateway"
    assert len(kubernetes_error_message(b"x" * 1000)) == 300


def test_without_the_certificate_of_the_cluster_no_session_is_made(tmp_path: Path) -> None:
    with pytest.raises((OSError, ssl.SSLError)):
        ApiSession(ApiServer(url="https://127.0.0.1:1", credentials=tmp_path)).client_session()
