"""HTTP proxies for aiohttp, and sentences about them.

The variables are read for each connection, because that is cheap. No text of this module, and no error that its callers
raise, contains the password of a proxy.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from typing import Any

import aiohttp

from sluice_contract.proxies import Proxy, proxy_settings

from ..domain.failure import UnusableVariableError

_SERVER_ERRORS = 500


def proxy_for_url(url: str) -> Proxy | None:
    """Return the proxy that the environment names for a URL (https, http, wss, ws or grpc); None to connect directly.

    Raises:
        UnusableVariableError: a variable does not contain the URL of an HTTP proxy.
    """
    try:
        return proxy_settings(os.environ).proxy_for_url(url)
    except ValueError as error:
        raise UnusableVariableError(str(error)) from None


def aiohttp_tunnel_arguments(proxy: Proxy | None) -> dict[str, Any]:
    """Return the arguments of an aiohttp request with TLS, or of a websocket, that make it use `proxy`.

    The credentials are a header and not a part of the URL, because aiohttp's errors quote the URL.
    """
    if proxy is None:
        return {}
    return {"proxy": proxy.address, "proxy_headers": proxy_authorization_header(proxy)}


def aiohttp_request_arguments(proxy: Proxy | None, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of an aiohttp request to `url` with these headers that make it use `proxy`.

    A proxy forwards a request without TLS, so the credentials are among the headers of the request itself.
    """
    if proxy is None or url.startswith("https:"):
        return {"headers": headers, **aiohttp_tunnel_arguments(proxy)}
    return {"headers": {**headers, **proxy_authorization_header(proxy)}, "proxy": proxy.address}


def via_proxy(proxy: Proxy | None) -> str:
    """Return words to append to what was tried: the proxy of the connection; empty without a proxy."""
    return f" through the proxy {proxy.address} ({proxy.variable})" if proxy is not None else ""


def proxy_refusal_text(proxy: Proxy, status: int) -> str:
    """Return a clause about a proxy that answered a CONNECT request with an HTTP status, and what to do."""
    refusal = f"the proxy {proxy.address} ({proxy.variable}) refuses the connection (HTTP {status})"
    if status == 407:
        has_credentials = "check the user and the password in" if proxy.user else "add the user and the password to"
        return f"{refusal}; {has_credentials} {proxy.variable}, as in {proxy.scheme}://user:password@proxy.example:3128"
    if status >= _SERVER_ERRORS:
        return f"{refusal}; the proxy cannot reach the host itself: check its network and its log"
    return f"{refusal}; allow the host in the proxy, or add the host to NO_PROXY if it can be reached directly"


def proxy_unreachable_text(proxy: Proxy, reason: str) -> str:
    """Return a clause about a proxy to which no connection can be opened, and what to do."""
    return f"the proxy {proxy.address} ({proxy.variable}) cannot be reached: {reason}; check {proxy.variable}"


def aiohttp_proxy_error_text(proxy: Proxy | None, error: BaseException) -> str | None:
    """Return a clause about an error of aiohttp that the proxy caused; None for any other error."""
    if proxy is None:
        return None
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy_refusal_text(proxy, error.status)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return proxy_unreachable_text(proxy, str(error.os_error) or type(error.os_error).__name__)
    return None


def proxy_authorization_header(proxy: Proxy) -> dict[str, str]:
    """Return the header with the credentials of a proxy, as name and value; empty if it has none."""
    if not proxy.user:
        return {}
    credentials = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {credentials}"}


class _TunnelRequest(aiohttp.ClientRequest):
    """A request without TLS that aiohttp sends through a tunnel (CONNECT), as it does for requests with TLS.

    aiohttp would otherwise ask the proxy to forward the request, which proxies do only for http:// and not for ws://.
    """

    def is_ssl(self) -> bool:
        return True


class _TunnelConnector(aiohttp.TCPConnector):
    """A connector for _TunnelRequest: the tunnel carries the request as it is. The overridden method is private."""

    async def _start_tls_connection(
        self, underlying_transport: asyncio.Transport, req: aiohttp.ClientRequest, *_given: Any, **_options: Any
    ) -> tuple[asyncio.BaseTransport, Any]:
        protocol = self._factory()
        underlying_transport.set_protocol(protocol)
        protocol.connection_made(underlying_transport)
        return underlying_transport, protocol


def websocket_session_arguments(url: str, proxy: Proxy | None) -> dict[str, Any]:
    """Return the arguments of an aiohttp session for a websocket at `url`, so that `proxy` also carries ws://."""
    if proxy is None or not url.startswith("ws:"):
        return {}
    return {"connector": _TunnelConnector(), "request_class": _TunnelRequest}
