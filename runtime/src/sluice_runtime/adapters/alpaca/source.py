"""Alpaca's market-data stream: a client of the documented websocket protocol.

Every phase has a timeout, every exit closes the socket within 2 s, and every refusal becomes a typed StreamError with
what to do. Cancellation is safe in each phase.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings

from ...domain.failure import StreamError
from ...ports import Listener
from ..shielding import close_and_notify
from .connection import AlpacaConnection
from .credentials import CredentialsReader
from .errors import ConnectionLimitTracker
from .websocket import Endpoint, NativeTransport, Timeouts, Transport

_HOST = "wss://stream.data.alpaca.markets"
_PATHS = {"boats": "v1beta1/boats", "overnight": "v1beta1/overnight", "crypto": "v1beta3/crypto/us"}

OpenTransport = Callable[[Endpoint], Awaitable[Transport]]


async def open_sdk_transport(endpoint: Endpoint) -> Transport:
    """Open a transport of engine `sdk`. The first call imports alpaca-py.

    Raises:
        StreamError: the connection cannot be opened, or alpaca-py is not installed.
    """
    try:
        from .sdk import SDKTransport  # noqa: PLC0415
    except ImportError as error:
        raise StreamError(
            "configuration",
            f"spec.alpaca.engine is sdk, and this image has no alpaca-py ({error}); run the default image, or set "
            f"spec.alpaca.engine to native",
        ) from None
    return await SDKTransport.open(endpoint)


_ENGINES: dict[AlpacaEngine, OpenTransport] = {"native": NativeTransport.open, "sdk": open_sdk_transport}


class AlpacaSource:
    """The source of provider `alpaca`, for both engines."""

    def __init__(
        self,
        settings: AlpacaSettings,
        credentials_reader: CredentialsReader,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  frozen
    ) -> None:
        self.name = f"alpaca:{settings.feed}"
        self._url = settings.stream_url or f"{_HOST}/{_PATHS.get(settings.feed, f'v2/{settings.feed}')}"
        self._is_crypto = settings.feed == "crypto"
        self._credentials_reader = credentials_reader
        self._open = _ENGINES[settings.engine]
        self._timeouts = timeouts
        self._contention = ConnectionLimitTracker()

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[AlpacaConnection]:
        """Open a connection: upgrade, wait for the welcome, and log in."""
        listener.on_state("Connecting")
        credentials = self._credentials_reader.read_and_remember_credentials()
        transport = await self._open(
            Endpoint(url=self._url, tls=self._credentials_reader.tls_context(), timeouts=self._timeouts)
        )
        if transport.clock_reading is not None:
            listener.on_provider_time(transport.clock_reading)
        connection = AlpacaConnection(transport, listener, self._timeouts, has_halts=not self._is_crypto)
        try:
            await connection.wait_for_welcome()
            listener.on_state("Authenticating")
            try:
                await connection.log_in(credentials)
            except StreamError as error:
                raise self._contention.record_and_explain_login_error(
                    error, asyncio.get_running_loop().time()
                ) from None
            self._contention.record_login_success()
            listener.on_state("Subscribing")
            yield connection
        finally:
            await close_and_notify(connection.close(), listener)

    async def wait_for_fix(self) -> None:
        """Wait until credentials exist, and they or the certificates differ from those of the last connection."""
        await self._credentials_reader.wait_for_change()

    async def wait_for_rotation(self) -> None:
        """Wait until the credentials or certificates of the open connection have been replaced."""
        await self._credentials_reader.wait_for_change()
