"""The options of every connection to the API server, and the pools that make these connections."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_contract import keepalive
from sluice_operator.adapters import access, tcp


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_socket_detects_an_unresponsive_peer_after_about_9_s(family: int) -> None:
    with tcp.create_socket_with_keepalive((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ())) as made:
        options = {
            name: made.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        }
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert options == {"TCP_KEEPIDLE": 3, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 9_000}


def test_a_pool_drops_an_idle_connection_before_keepalive_can_detect_its_loss() -> None:
    # Until the connection was lost, it may have been idle for one keepalive interval since its last packet.
    earliest_after_loss = keepalive.USER_TIMEOUT_MILLISECONDS / 1000 - keepalive.IDLE_SECONDS
    assert earliest_after_loss > tcp.POOL_IDLE_SECONDS


async def test_the_client_uses_the_pool_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test checks the client's public attribute: the client must not make its own pool."""
    monkeypatch.setattr(tcp, "create_connector", _connector_of_its_own)
    async with ApiClient(Configuration(host="http://127.0.0.1:9")) as client:
        pool = access.connection_pool(client)
        assert access.connection_pool(client) is pool
        with pytest.raises(_Used):
            await client.call_api("GET", "http://127.0.0.1:9/version", header_params={})
        assert client.rest_client.pool_manager is pool
    assert pool.closed


async def test_both_pools_use_the_connectors_of_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "create_connector", _connector_of_its_own)
    async with ApiClient(Configuration(host="http://127.0.0.1:9")) as client:
        access.connection_pool(client)
        async with access.create_read_only_session(client, access.ReadOnlyMiddleware(lambda: None), 1) as session:
            assert isinstance(session.connector, _Connector)
            assert isinstance(client.rest_client.pool_manager.connector, _Connector)


class _Used(Exception):  # noqa: N818
    """Raised when the connector is asked for a connection."""


class _Connector(aiohttp.TCPConnector):
    """A connector that opens no connection."""

    async def connect(self, *_: object, **__: object) -> aiohttp.connector.Connection:
        raise _Used


def _connector_of_its_own(*_: object) -> _Connector:
    return _Connector()
