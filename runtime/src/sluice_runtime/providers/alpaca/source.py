"""Alpaca's market-data stream: a client of the documented websocket protocol.

Every phase has a timeout, every exit closes the socket within 2 s, and every refusal becomes a typed StreamError with
what to do. Cancellation is safe in each phase.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.status import FailureType

from ...adapters.http_proxies import proxy_for_url
from ...aio.shielding import close_and_notify
from ...domain.failure import StreamError, UnusableVariableError
from ...ports import Listener
from .connection import AlpacaConnection
from .credentials import Credentials, CredentialsReader
from .endpoints import stream_url
from .errors import ConnectionLimitTracker, with_remedy
from .key_pair_check import KeyPairCheck
from .rotation import KeyPairRotation
from .websocket import Endpoint, NativeTransport, Timeouts, Transport

_ANSWERS: dict[FailureType, str] = {"auth": "login refused", "entitlement": "its plan does not include the feed"}

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
        check: KeyPairCheck | None = None,
    ) -> None:
        """`check` verifies a rotated key pair over REST. Without it, a rotated pair is tried on the stream itself."""
        self.name = f"alpaca:{settings.feed}"
        self._url = stream_url(settings)
        self._is_crypto = settings.feed == "crypto"
        self._credentials_reader = credentials_reader
        self._rotation = KeyPairRotation(credentials_reader, check)
        self._pair_in_use: Credentials | None = None
        self._open = _ENGINES[settings.engine]
        self._timeouts = timeouts
        self._contention = ConnectionLimitTracker()

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[AlpacaConnection]:
        """Open a connection: upgrade, wait for the welcome, and log in.

        If a new key pair is refused, the connection is opened with the pair that was accepted last.
        """
        listener.on_state("Connecting")
        self._rotation.report_to(listener)
        pair = self._credentials_reader.read_and_remember_credentials()
        connection = await self._open_and_log_in_or_fall_back(pair, listener)
        try:
            listener.on_state("Subscribing")
            yield connection
        finally:
            await close_and_notify(connection.close(), listener)

    def _endpoint(self) -> Endpoint:
        """Return where to connect to, and through which proxy.

        Raises:
            StreamError: the CA certificates or the variables of the proxy cannot be used.
        """
        try:
            proxy = proxy_for_url(self._url)
        except UnusableVariableError as error:
            raise StreamError("network", str(error)) from None
        tls = self._credentials_reader.tls_context()
        return Endpoint(url=self._url, tls=tls, timeouts=self._timeouts, proxy=proxy)

    async def wait_for_fix(self) -> None:
        """Wait until credentials exist, and they or the certificates differ from those of the last connection."""
        await self._credentials_reader.wait_for_change()

    async def wait_for_rotation(self) -> None:
        """Wait until the certificates have changed, or a new key pair is mounted that is accepted as far as known."""
        if self._pair_in_use is not None:
            await self._rotation.wait_until_replaceable(self._pair_in_use)

    async def _open_and_log_in_or_fall_back(self, pair: Credentials, listener: Listener) -> AlpacaConnection:
        try:
            return await self._open_and_log_in(pair, listener)
        except _PairRefusedError as error:
            previous = self._credentials_reader.history.accepted
            if previous is None or previous == pair:
                self._rotation.record_refusal_of_all()
                raise
            self._rotation.record_refusal(pair, _ANSWERS.get(error.kind, error.kind))
        return await self._open_and_log_in_or_fall_back(previous, listener)

    async def _open_and_log_in(self, pair: Credentials, listener: Listener) -> AlpacaConnection:
        """Return an open connection that has logged in with `pair`. On failure, it is closed."""
        remedies, endpoint = self._credentials_reader.remedies, self._endpoint()
        try:
            transport = await self._open(endpoint)
        except StreamError as error:
            raise with_remedy(error, remedies) from None
        if transport.clock_reading is not None:
            listener.on_provider_time(transport.clock_reading)
        connection = AlpacaConnection(transport, listener, self._timeouts, has_halts=not self._is_crypto)
        try:
            await connection.wait_for_welcome()
            listener.on_state("Authenticating")
            try:
                await connection.log_in(pair)
            except StreamError as error:
                if error.is_login_refusal:
                    raise _PairRefusedError(error.kind, with_remedy(error, remedies).message) from None
                raise self._contention.record_and_explain_login_error(
                    error, asyncio.get_running_loop().time()
                ) from None
        except BaseException:
            await close_and_notify(connection.close(), listener)
            raise
        self._contention.record_login_success()
        self._pair_in_use = pair
        self._rotation.record_acceptance(pair)
        return connection


class _PairRefusedError(StreamError):
    """The provider refused the key pair at the login."""
