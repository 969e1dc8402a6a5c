"""TCP sockets that detect a dead peer within seconds."""

from __future__ import annotations

import socket
from typing import Any

from sluice_contract.keepalive import create_keepalive_socket


def create_nonblocking_socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a non-blocking socket for an address from `getaddrinfo`, with keepalive and user timeout."""
    family, kind, protocol, *_ = address
    created = create_keepalive_socket(family, kind, protocol)
    created.setblocking(False)
    return created
