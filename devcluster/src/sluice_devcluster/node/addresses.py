"""Addresses of pods: each has a loopback address of its own, so that two pods can use the same port."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

HOST = "127.0.0.1"


def pod_address(uid: str, taken: Iterable[str] = ()) -> str:
    """An address in 127.64.0.0/10 that follows from the pod's identifier and is not among those taken.

    Identifiers are unique across clusters, so two clusters on one machine hardly ever choose the same address.
    """
    used = set(taken)
    attempt = 0
    while True:
        digest = hashlib.sha256(f"{uid}/{attempt}".encode()).digest()
        # Never .0 or .255 at the end: some programs take those for a network or a broadcast.
        address = f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"
        if address not in used:
            return address
        attempt += 1
