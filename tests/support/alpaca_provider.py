"""The runtime's client of Alpaca's stream, configured for a test server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.spec import Channel
from sluice_contract.values import SecretReference
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.ports import QUOTES
from sluice_runtime.providers.alpaca.connection import AlpacaConnection
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.endpoints import rest_endpoints
from sluice_runtime.providers.alpaca.key_pair_check import KeyPairCheck
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_runtime.providers.alpaca.websocket import Timeouts
from support.fake_listener import FakeListener

SECRET = "very-secret"


def mount(folder: Path, key: str, secret: str) -> Path:
    """Write the key pair into the folder as Kubernetes mounts the Secret; returns the folder."""
    (folder / "ALPACA_KEY_ID").write_text(f"{key}\n")
    (folder / "ALPACA_SECRET_KEY").write_text(f"{secret}\n")
    return folder


# Short timeouts of the connection's phases.
SHORT_TIMEOUTS = Timeouts(upgrade=5.0, welcome=1.5, auth=1.5, ack=1.5, ping=1.0)


def source(
    url: str,
    credentials: Path,
    ca_file: Path | None = None,
    *,
    engine: AlpacaEngine = "native",
    timeouts: Timeouts = SHORT_TIMEOUTS,
) -> AlpacaSource:
    """Return the Alpaca provider with a mounted Secret."""
    settings = AlpacaSettings(stream_url=url, engine=engine, credentials_secret_ref=SecretReference(name="alpaca"))
    return AlpacaSource(settings, CredentialsReader(settings, credentials, ca_file), timeouts=timeouts)


def source_with_rest(url: str, data_url: str | None, credentials: Path, engine: AlpacaEngine) -> AlpacaSource:
    """Return the Alpaca provider with a mounted Secret. `data_url` is its REST interface, if it has one."""
    settings = AlpacaSettings(
        stream_url=url, engine=engine, credentials_secret_ref=SecretReference(name="alpaca"), data_url=data_url
    )
    check = KeyPairCheck.create_if_possible(settings, rest_endpoints(settings, None, None))
    return AlpacaSource(settings, CredentialsReader(settings, credentials, None), SHORT_TIMEOUTS, check)


@asynccontextmanager
async def streaming(
    made: AlpacaSource, listener: FakeListener, *symbols: str, channels: frozenset[Channel] = QUOTES
) -> AsyncIterator[AlpacaConnection]:
    """Open a connection that subscribes to channels of the symbols, and read from it while the context lasts."""
    async with made.connect(listener) as connection:
        reading = asyncio.create_task(connection.run())
        try:
            await connection.set_subscriptions(frozenset(symbols), channels)
            yield connection
        finally:
            await cancel_and_wait(reading)


async def failure_of_connection(made: AlpacaSource, listener: FakeListener) -> StreamError:
    """Connect, subscribe to two symbols and read until the connection fails; returns the error."""
    with pytest.raises(StreamError) as failure:  # noqa: PT012
        async with made.connect(listener) as connection:
            reading = asyncio.ensure_future(connection.run())
            try:
                await connection.set_subscriptions(frozenset({"AAPL", "MSFT"}))
                await reading
            finally:
                await cancel_and_wait(reading)
    assert SECRET not in failure.value.message
    assert failure.value.message[-1] != "\n"
    return failure.value
