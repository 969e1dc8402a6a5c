"""The HTTP server of both images."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from sluice_contract.http_connections import ConnectionBounds
from sluice_contract.http_server import BODY_BYTES, create_listener, is_own_host, serve_application
from support.deadlines import wait_for

BY_A_PAGE = "a web page may not call this interface; send the request without Origin"


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    """The address of an application that returns the length of a body."""

    async def length(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application(client_max_size=BODY_BYTES)
    app.add_routes([web.get("/", length), web.post("/", length)])
    listener = create_listener("127.0.0.1", 0)
    async with serve_application(app, [listener], bounds=ConnectionBounds(request_seconds=0.3)):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.3.9:8080", "[::1]:8080", "[fd00::1]", "::1", "localhost", "LocalHost:9", "localhost."),
        *(
            "feed",
            "feed:8080",
            "feed.acme.svc",
            "feed.acme.svc:8080",
            "10-0-3-9.acme.pod",
            "feed.acme.svc.cluster.local",
        ),
    ],
)
def test_an_address_localhost_and_a_name_in_the_cluster_are_the_server_s_own(host: str) -> None:
    assert is_own_host(host)


@pytest.mark.parametrize(
    "host", ["", "example.com", "evil.example:8080", "127.0.0.1.example.com", "localhost.evil", "[x]:1"]
)
def test_any_other_host_is_foreign(host: str) -> None:
    assert not is_own_host(host)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Origin": "https://evil.example"}, "a web page may not call this interface; send the request without Origin"),
        ({"Origin": "null"}, "a web page may not call this interface; send the request without Origin"),
        (
            {"Host": "evil.example"},
            "the Host is not this server; use its address, localhost or its name in the cluster",
        ),
    ],
)
async def test_the_request_of_a_web_page_is_refused(url: str, headers: dict[str, str], sentence: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert (answer.status, answer.reason, await answer.text()) == (403, sentence, f"{sentence}\n")


async def test_a_body_up_to_16_kb_is_accepted_and_a_longer_one_refused(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=b"x" * BODY_BYTES) as answer:
            assert (answer.status, await answer.text()) == (200, str(BODY_BYTES))
        async with session.post(url, data=b"x" * (BODY_BYTES + 1)) as answer:
            assert (answer.status, await answer.text()) == (
                413,
                "the body has more than 16384 bytes; send a shorter one\n",
            )


async def test_a_body_that_does_not_arrive_closes_the_connection(url: str, caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1].strip("/")))
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
    with suppress(ConnectionResetError):
        assert await wait_for(reader.read(), 10) == b""
    writer.close()
    assert "Error handling request" not in caplog.text


async def test_all_listeners_share_the_bound_of_connections_and_are_closed_at_the_end() -> None:
    listeners = [create_listener(host, 0) for host in ("127.0.0.1", "127.0.0.2")]
    addresses = [each.getsockname() for each in listeners]
    async with serve_application(web.Application(), listeners, bounds=ConnectionBounds(connections=1)):
        first, first_writer = await asyncio.open_connection(*addresses[0])
        _, second_writer = await asyncio.open_connection(*addresses[1])
        with suppress(ConnectionResetError):
            assert await wait_for(first.read(), 10) == b""
        first_writer.close()
        second_writer.close()
    for address in addresses:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
