"""Connections to the API server that detect an unresponsive peer within seconds."""

from __future__ import annotations

import socket
import ssl
from typing import Final

import aiohttp

from sluice_contract.keepalive import create_keepalive_socket

# A lost idle connection is detected after 6 s at the earliest. By then no pool has one left, so a request that follows
# the failure of another one never gets a second half-open connection.
POOL_IDLE_SECONDS: Final = 5.0


def create_socket_with_keepalive(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a new socket for an address, with TCP keepalive and a TCP user timeout."""
    family, kind, protocol, _, _ = address
    return create_keepalive_socket(family, kind, protocol)


def create_connector(tls: ssl.SSLContext, connections: int) -> aiohttp.TCPConnector:
    """Return a pool of at most `connections` connections. A connection that is idle for 5 s is closed."""
    return aiohttp.TCPConnector(
        limit=connections, ssl=tls, keepalive_timeout=POOL_IDLE_SECONDS, socket_factory=create_socket_with_keepalive
    )
