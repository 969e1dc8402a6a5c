"""The gRPC channel, which is the same for the emulator and the real service."""

from typing import Any

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from sluice_runtime.sinks.firestore.channel import open_channel
from sluice_runtime.sinks.firestore.credentials import FirestoreAccess

REAL_TIME = True  # a channel needs a real event loop
EMULATOR = FirestoreAccess("demo", None, "127.0.0.1:9")
REAL = FirestoreAccess("demo", AnonymousCredentials(), "")


def test_the_emulator_and_the_real_service_get_the_same_options(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: dict[str, dict[str, int]] = {}

    def open_emulator(target: str, options: Any) -> None:
        opened[target] = dict(options)

    def open_real(target: str, *_: Any, options: Any, **__: Any) -> None:
        opened[target] = dict(options)

    monkeypatch.setattr(grpc.aio, "insecure_channel", open_emulator)
    monkeypatch.setattr(grpc.aio, "secure_channel", open_real)
    open_channel(EMULATOR)
    open_channel(REAL)
    assert set(opened) == {"127.0.0.1:9", "firestore.googleapis.com:443"}
    emulator, real = opened.values()
    assert emulator == real
    assert emulator["grpc.keepalive_time_ms"] + emulator["grpc.keepalive_timeout_ms"] < 60_000
    assert emulator["grpc.use_local_subchannel_pool"] == 1


@pytest.mark.parametrize("access", [EMULATOR, REAL], ids=["emulator", "real"])
async def test_google_s_transport_takes_the_channel(access: FirestoreAccess) -> None:
    channel = open_channel(access)
    assert FirestoreGrpcAsyncIOTransport(channel=channel).grpc_channel is channel
    await channel.close()
