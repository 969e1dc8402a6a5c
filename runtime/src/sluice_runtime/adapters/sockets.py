"""TCP sockets that detect a dead peer within seconds."""

from __future__ import annotations

import socket
from typing import Any, Final

# A dead peer is detected 3 + 3 * 2 = 9 s after the last packet, with or without a request in flight.
_IDLE_SECONDS: Final = 3
_PROBE_SECONDS: Final = 2
_PROBES: Final = 3
_UNACKNOWLEDGED_MILLISECONDS: Final = 9000


def monitored_socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket for an address from `getaddrinfo`, with keepalive and a limit on unacknowledged data.

    This detects half-open connections: a firewall, NAT gateway or load balancer has dropped its state.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MILLISECONDS)
    return made
