"""What aiohttp is asked to do for a proxy, and the sentences about a proxy. tests/integration has the connections."""

import asyncio

import aiohttp
import pytest

from sluice_contract.proxies import parse_proxy
from sluice_runtime.adapters.http_proxies import (
    aiohttp_proxy_error_text,
    aiohttp_request_arguments,
    aiohttp_tunnel_arguments,
    proxy_for_url,
    proxy_refusal_text,
    via_proxy,
    websocket_session_arguments,
)

PROXY = parse_proxy("http://me:secret@proxy.example:3128", "HTTPS_PROXY")
AUTHORIZATION = {"Proxy-Authorization": "Basic bWU6c2VjcmV0"}


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY.url_with_credentials)
    monkeypatch.setenv("no_proxy", "direct.example")
    found = proxy_for_url("wss://stream.example/")
    assert found is not None
    assert (found.address, found.password) == (PROXY.address, "secret")
    assert proxy_for_url("wss://direct.example/") is None


def test_credentials_are_a_header_and_never_a_part_of_the_url() -> None:
    tunnel = {"proxy": "http://proxy.example:3128", "proxy_headers": AUTHORIZATION}
    assert aiohttp_tunnel_arguments(PROXY) == tunnel
    assert aiohttp_tunnel_arguments(None) == {}
    assert aiohttp_request_arguments(PROXY, "https://a/", {"x": "y"}) == {"headers": {"x": "y"}, **tunnel}
    assert aiohttp_request_arguments(PROXY, "http://a/", {"x": "y"}) == {
        "headers": {"x": "y", **AUTHORIZATION},
        "proxy": "http://proxy.example:3128",
    }
    assert aiohttp_request_arguments(None, "http://a/", {"x": "y"}) == {"headers": {"x": "y"}}


@pytest.mark.parametrize(("url", "is_special"), [("ws://a/", True), ("wss://a/", False)])
async def test_a_websocket_without_tls_has_its_own_connector(url: str, is_special: bool) -> None:
    found = websocket_session_arguments(url, PROXY)
    assert bool(found) is is_special
    if found:
        await found["connector"].close()
    assert websocket_session_arguments(url, None) == {}


@pytest.mark.parametrize("status", [403, 407, 429, 500, 502, 503])
def test_a_refusal_names_proxy_variable_and_status_and_says_what_to_do(status: int) -> None:
    text = proxy_refusal_text(PROXY, status)
    assert text.startswith(f"the proxy {PROXY.address} (HTTPS_PROXY) refuses the connection (HTTP {status}); ")
    assert "secret" not in text


def test_errors_that_the_proxy_did_not_cause_have_no_text() -> None:
    assert aiohttp_proxy_error_text(PROXY, aiohttp.ServerDisconnectedError()) is None
    assert aiohttp_proxy_error_text(None, aiohttp.ServerDisconnectedError()) is None


def test_what_was_tried_names_the_proxy() -> None:
    assert via_proxy(PROXY) == " through the proxy http://proxy.example:3128 (HTTPS_PROXY)"
    assert via_proxy(None) == ""


def test_the_private_names_of_aiohttp_that_are_overridden_are_there() -> None:
    assert callable(aiohttp.ClientRequest.is_ssl)
    assert asyncio.iscoroutinefunction(aiohttp.TCPConnector._start_tls_connection)
    assert aiohttp.__version__ == "3.14.5"
