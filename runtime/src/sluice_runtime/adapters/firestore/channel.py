"""The gRPC channel to Firestore.

It replaces the channel of Google's client, so that the emulator and the real service use the same channel and tests
cover what runs in production.
"""

from __future__ import annotations

import grpc
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

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


def open_channel(access: FirestoreAccess) -> grpc.aio.Channel:
    """Return a new channel to the emulator or to the real service. It connects with the first call."""
    if access.emulator:
        return grpc.aio.insecure_channel(access.emulator, options=CHANNEL_OPTIONS)
    return FirestoreGrpcAsyncIOTransport.create_channel(
        credentials=access.credentials, scopes=FirestoreGrpcAsyncIOTransport.AUTH_SCOPES, options=CHANNEL_OPTIONS
    )
