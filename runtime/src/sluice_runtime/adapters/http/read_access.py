"""Who may read the status and the symbols of a pod: its tenant, unless the job makes them public.

Every pod of the cluster may reach the port, because the kubelet probes it there. A request from the pod itself needs no
token: `kubectl port-forward` connects to the pod's loopback interface, and Kubernetes has authorized its user.
"""

from __future__ import annotations

import logging
import os
import socket
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from sluice_contract.http_server import create_listener

from .bearer_token import RequestCheck

_log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
_LOOPBACK_ADDRESSES: Final = frozenset({LOOPBACK, "::1"})


def create_read_check(token_check: RequestCheck, *, is_public: bool) -> RequestCheck:
    """Return a check that refuses GET requests that `refusal_of_read` refuses.

    `token_check` returns why a request does not have the token.
    """

    def refusal(request: web.Request) -> str | None:
        return refusal_of_read(_local_address(request), token_check(request), is_public=is_public)

    return refusal


def refusal_of_read(local_address: str, token_problem: str | None, *, is_public: bool) -> str | None:
    """Return None for a request that may read, otherwise why it is refused.

    `local_address` is the address at which the request arrived. Only a program in the pod reaches a loopback address.
    `token_problem` says why the request does not have the token; None if it has.
    """
    if is_public or local_address in _LOOPBACK_ADDRESSES or token_problem is None:
        return None
    return f"{token_problem}; or use kubectl port-forward, which needs no token, or set spec.http.public to true"


def _local_address(request: web.Request) -> str:
    """Return the address at which a request arrived; "" if its connection is already closed."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return str(name[0]) if name else ""


def create_listeners(own_address: str, port: int) -> list[socket.socket]:
    """Return the listeners of a pod: one at its own address, and one on its loopback interface.

    A pod whose own address is a loopback address shares that interface with other pods, so it has only the first one.
    If another program of the pod uses the port on the loopback interface, this is logged.

    Raises:
        OSError: the pod's own address cannot be used.
    """
    own = create_listener(own_address, port)
    if ip_address(own_address).is_loopback:
        return [own]
    try:
        return [own, create_listener(LOOPBACK, port)]
    except OSError as error:
        _log.warning(
            "kubectl port-forward does not reach the HTTP interface, because port %d of %s cannot be used (%s); let no "
            "other container of the pod use this port",
            port,
            LOOPBACK,
            os.strerror(error.errno or 0),
            extra={"event_type": "http"},
        )
        return [own]
