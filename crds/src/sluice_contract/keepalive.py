"""Socket options with which a TCP connection detects an unresponsive peer about 9 s after the last packet from it.

Without them, Linux keeps a half-open connection for more than two hours while it is idle, and for about 15 minutes
while data is unacknowledged: a firewall, NAT gateway or load balancer has dropped its state (docs/adr/0013).
"""

from __future__ import annotations

import socket
from typing import Final

IDLE_SECONDS: Final = 3
INTERVAL_SECONDS: Final = 2
PROBES: Final = 3
USER_TIMEOUT_MILLISECONDS: Final = 9_000

_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_SECONDS),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, INTERVAL_SECONDS),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MILLISECONDS),
)


def create_keepalive_socket(family: int, kind: int, protocol: int) -> socket.socket:
    """Return a new socket with TCP keepalive and a TCP user timeout, which detect an unresponsive peer.

    Raises:
        OSError: the socket cannot be created, or an option cannot be set.
    """
    created = socket.socket(family, kind, protocol)
    try:
        for level, option, value in _OPTIONS:
            created.setsockopt(level, option, value)
    except OSError:
        created.close()
        raise
    return created
