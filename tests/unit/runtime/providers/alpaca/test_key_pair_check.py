from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from sluice_contract.alpaca import AlpacaSettings
from sluice_runtime.providers.alpaca.credentials import Credentials
from sluice_runtime.providers.alpaca.endpoints import RestEndpoints, rest_endpoints
from sluice_runtime.providers.alpaca.key_pair_check import KeyPairCheck, KeyPairCheckError

PAIR = Credentials("PK-key", "very-secret")


class Server:
    """Answers each request with `status`, and keeps the requests."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.keys: list[tuple[str | None, str | None]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, dict(request.query)))
        self.keys.append((request.headers.get("APCA-API-KEY-ID"), request.headers.get("APCA-API-SECRET-KEY")))
        return web.Response(status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found, application = Server(), web.Application()
    application.router.add_get("/{tail:.*}", found.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def check_of(url: str, **settings: Any) -> KeyPairCheck:
    alpaca = AlpacaSettings(stream_url="ws://stream", **settings)
    check = KeyPairCheck.create_if_possible(alpaca, rest_endpoints(alpaca, url, url))
    assert check is not None
    return check


async def test_one_request_for_market_data_of_the_feed(server: Server) -> None:
    assert await check_of(server.url, feed="sip").refusal_status(PAIR, None) is None
    assert server.requests == [("/v2/stocks/snapshots", {"symbols": "SPY", "feed": "sip"})]
    assert server.keys == [("PK-key", "very-secret")]


@pytest.mark.parametrize("feed", ["crypto", "test"])
async def test_the_account_is_requested_where_market_data_proves_nothing(server: Server, feed: str) -> None:
    assert await check_of(server.url, feed=feed).refusal_status(PAIR, None) is None
    assert server.requests == [("/v2/account", {})]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_returned(server: Server, status: int) -> None:
    server.status = status
    assert await check_of(server.url).refusal_status(PAIR, None) == status


@pytest.mark.parametrize("status", [304, 400, 404, 429, 500, 503])
async def test_other_answers_are_no_result(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(KeyPairCheckError, match=f"^HTTP {status}$"):
        await check_of(server.url).refusal_status(PAIR, None)


async def test_an_unreachable_server_is_no_result_and_its_error_has_no_secret() -> None:
    with pytest.raises(KeyPairCheckError) as failure:
        await check_of("http://127.0.0.1:1").refusal_status(PAIR, None)
    assert "very-secret" not in str(failure.value)


async def test_a_pair_that_is_no_valid_header_is_no_result(server: Server) -> None:
    with pytest.raises(KeyPairCheckError):
        await check_of(server.url).refusal_status(Credentials("key", "two\nlines"), None)
    assert server.requests == []


def test_without_a_known_interface_there_is_no_check() -> None:
    other = AlpacaSettings(stream_url="ws://stream", feed="iex")
    assert KeyPairCheck.create_if_possible(other, rest_endpoints(other, None, None)) is None
    assert KeyPairCheck.create_if_possible(AlpacaSettings(), RestEndpoints(None, None, True)) is not None
