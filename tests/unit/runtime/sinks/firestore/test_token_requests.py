"""Requests for the tokens of a key. test_firestore_proxy.py sends them through a proxy."""

import asyncio

import pytest
from google.auth.exceptions import TransportError

from sluice_runtime.sinks.firestore import token_requests
from sluice_runtime.sinks.firestore.token_requests import TokenRequest, TokenResponse
from support.proxy_variables import remove_proxy_variables
from support.raw_http_peer import RawHTTPPeer, http_answer

REAL_TIME = True
BODY = b'{"error":"planted"}'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    remove_proxy_variables(monkeypatch)
    return monkeypatch


async def answer(status: int, **headers: str) -> TokenResponse:
    async with RawHTTPPeer(http_answer(status, BODY)).listening() as peer:
        url = f"http://{peer.address}/token?a=b"
        return await asyncio.to_thread(TokenRequest(), url, "POST", b"body", headers)


async def test_a_token_is_passed_on_with_its_headers() -> None:
    found = await answer(200)
    assert (found.status, found.data, found.headers["content-length"]) == (200, BODY, str(len(BODY)))


@pytest.mark.parametrize("status", [400, 500])
async def test_only_the_status_of_another_server_s_error_is_passed_on(status: int) -> None:
    with pytest.raises(TransportError) as raised:
        await answer(status)
    assert str(raised.value).endswith(f"/token answered HTTP {status}; check token_uri in the key")
    assert "planted" not in str(raised.value)


async def test_the_error_of_google_and_of_the_metadata_server_is_passed_on(environment: pytest.MonkeyPatch) -> None:
    assert (await answer(404, **{"Metadata-Flavor": "Google"})).data == BODY
    environment.setattr(token_requests, "_GOOGLE_DOMAINS", (".0.0.1",))
    assert (await answer(400)).data == BODY


async def test_a_redirect_is_refused_also_of_google(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(token_requests, "_GOOGLE_DOMAINS", (".0.0.1",))
    with pytest.raises(TransportError, match="answered with a redirect \\(HTTP 307\\), which is not followed"):
        await answer(307)


async def test_a_server_that_cannot_be_reached_is_an_error_of_google_s_package() -> None:
    with pytest.raises(TransportError, match="refused"):
        await asyncio.to_thread(TokenRequest(), "http://127.0.0.1:9/token")
    with pytest.raises(TransportError):
        await asyncio.to_thread(TokenRequest(), "http:///token")
