"""The addresses of pods: each pod has its own loopback address, so that two pods can use the same port."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

HOST = "127.0.0.1"


def pod_address(uid: str, taken: Iterable[str] = ()) -> str:
    """Return an address in 127.64.0.0/10 that is derived from the pod's uid and is not in `taken`.

    Uids are unique across clusters, so two clusters on one machine almost never choose the same address.
    """
    used = set(taken)
    attempt = 0
    while True:
        digest = hashlib.sha256(f"{uid}/{attempt}".encode()).digest()
        # No address ends in .0 or .255, because some programs treat these as network or broadcast addresses.
        address = f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"
        if address not in used:
            return address
        attempt += 1
