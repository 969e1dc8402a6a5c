"""The gRPC channel to Firestore.

It is ours rather than Google's, so that the emulator gets the same one as the real service: what is tested is what
runs.
"""

from __future__ import annotations

import grpc
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from .credentials import Access

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    # As Google's own client sets them.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    # gRPC's default is 20 s. gRPC also makes it the socket's TCP_USER_TIMEOUT: a connection whose packets vanish is
    # dropped after so long, and a write that was lost on it does not arrive late, over a newer one.
    ("grpc.keepalive_timeout_ms", 5_000),
    # Left alone, a channel that has lost its server waits for up to two minutes before it tries to connect again.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Otherwise gRPC gives a new channel the connection of the old one, which is the one to get rid of.
    ("grpc.use_local_subchannel_pool", 1),
)


def open_channel(access: Access) -> grpc.aio.Channel:
    """Return a new channel to the emulator or to the real service. It connects with the first call."""
    if access.emulator:
        return grpc.aio.insecure_channel(access.emulator, options=CHANNEL_OPTIONS)
    return FirestoreGrpcAsyncIOTransport.create_channel(
        credentials=access.credentials, scopes=FirestoreGrpcAsyncIOTransport.AUTH_SCOPES, options=CHANNEL_OPTIONS
    )
