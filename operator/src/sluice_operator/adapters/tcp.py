"""TCP connections that detect an unresponsive peer about 9 s after its last packet.

Without these options, Linux keeps a half-open connection for more than two hours while it is idle, and for about
15 minutes while data is unacknowledged.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

import aiohttp

KEEPALIVE_IDLE_SECONDS: Final = 3
KEEPALIVE_INTERVAL_SECONDS: Final = 2
KEEPALIVE_PROBES: Final = 3
USER_TIMEOUT_MILLISECONDS: Final = 9_000
# A lost idle connection is detected after 6 s at the earliest. By then no pool has one left, so a request that follows
# the failure of another one never gets a second half-open connection.
POOL_IDLE_SECONDS: Final = 5.0

_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MILLISECONDS),
)


def create_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a new socket for an address, with keepalive and user timeout."""
    family, kind, protocol, _, _ = address
    created = socket.socket(family, kind, protocol)
    try:
        for level, option, value in _OPTIONS:
            created.setsockopt(level, option, value)
    except OSError:
        created.close()
        raise
    return created


def create_connector(tls: ssl.SSLContext, connections: int) -> aiohttp.TCPConnector:
    """Return a pool of at most `connections` connections. A connection that is idle for 5 s is closed."""
    return aiohttp.TCPConnector(
        limit=connections, ssl=tls, keepalive_timeout=POOL_IDLE_SECONDS, socket_factory=create_socket
    )
