"""The gRPC channel to Firestore.

It replaces the channel of Google's client, so that the emulator and the real service use the same channel and tests
cover what runs in production.
"""

from __future__ import annotations

import os

import grpc

from ...adapters.http_proxies import proxy_for_url
from ...domain.failure import UnusableVariableError
from .credentials import FirestoreAccess

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    # The same values as in Google's own client.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    # gRPC's default is 20 s. gRPC also uses it as the socket's TCP_USER_TIMEOUT: a connection that loses its packets is
    # dropped after this time, so that a lost write does not arrive late and replace a newer one.
    ("grpc.keepalive_timeout_ms", 5_000),
    # By default, a channel that has lost its server waits up to two minutes before it reconnects.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Otherwise, a new channel would reuse the old channel's connection, which is the one to be replaced.
    ("grpc.use_local_subchannel_pool", 1),
)


_Options = tuple[tuple[str, int | str], ...]


def open_channel(access: FirestoreAccess) -> grpc.aio.Channel:
    """Return a new channel to the emulator or to the real service. It connects with the first call.

    Raises:
        UnusableVariableError: the environment names a proxy that gRPC cannot use.
    """
    options: _Options = (*CHANNEL_OPTIONS, *_proxy_options(access.target))
    if access.emulator:
        return grpc.aio.insecure_channel(access.emulator, options=options)
    from .google_tokens import channel_credentials  # noqa: PLC0415  an emulator needs no tokens

    return grpc.aio.secure_channel(access.target, channel_credentials(access.credentials), options=options)


def _proxy_options(target: str) -> _Options:
    """Return the channel options that make gRPC use the proxy of `target`, or none, whatever gRPC's own variables say.

    gRPC reads only the lower-case variables, and neither `*` nor a port in NO_PROXY.
    """
    proxy = proxy_for_url(f"grpc://{target}")
    if proxy is None:
        return (("grpc.enable_http_proxy", 0),)
    if proxy.scheme != "http":
        raise UnusableVariableError(
            f"Firestore's client cannot use the proxy {proxy.address} ({proxy.variable}), because gRPC does not "
            f"support proxies with https://; name one with http://, or add {target.rpartition(':')[0]} to NO_PROXY"
        )
    os.environ["no_grpc_proxy"] = ""  # noqa: SIM112  takes precedence over no_proxy, which gRPC would otherwise apply as well
    return (("grpc.http_proxy", proxy.url_with_credentials),)
