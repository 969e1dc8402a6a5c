"""Errors of the servers that issue tokens."""

import asyncio

import pytest
import requests

from sluice_runtime.sinks.firestore import token_requests
from sluice_runtime.sinks.firestore.token_session import TokenSession
from support.proxy_variables import remove_proxy_variables
from support.raw_http_peer import RawHTTPPeer, http_answer

REAL_TIME = True
BODY = b'{"error":"planted"}'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    remove_proxy_variables(monkeypatch)
    return monkeypatch


async def answer(status: int, **headers: str) -> requests.Response:
    async with RawHTTPPeer(http_answer(status, BODY)).listening() as peer:
        with TokenSession() as session:
            return await asyncio.to_thread(session.post, f"http://{peer.address}/token?a=b", headers=headers)


async def test_only_the_status_of_another_server_s_error_is_passed_on() -> None:
    with pytest.raises(requests.RequestException) as raised:
        await answer(400)
    assert str(raised.value).endswith("/token answered HTTP 400; check token_uri in the key")
    assert "planted" not in str(raised.value)


async def test_the_error_of_google_and_of_the_metadata_server_is_passed_on(environment: pytest.MonkeyPatch) -> None:
    assert (await answer(404, **{"Metadata-Flavor": "Google"})).content == BODY
    environment.setattr(token_requests, "_GOOGLE_DOMAINS", (".0.0.1",))
    assert (await answer(400)).content == BODY


async def test_a_token_of_another_server_is_passed_on() -> None:
    assert (await answer(200)).content == BODY
