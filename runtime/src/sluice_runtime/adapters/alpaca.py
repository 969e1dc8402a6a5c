"""Alpaca's market-data stream: our own client of the documented websocket protocol.

Every phase has a timeout, every exit closes the socket within 2 s, and every refusal becomes a typed StreamError that
says what to do. Cancelling is safe in each phase.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import msgspec

from sluice_contract import identity
from sluice_contract.spec import Alpaca
from sluice_contract.status import SymbolRejection

from ..domain.failure import StreamError
from ..ports import Listener
from .alpaca_messages import ErrorMessage, Message, QuoteMessage, SubscriptionMessage, SuccessMessage, decode
from .alpaca_refusals import OF_A_SUBSCRIPTION, refusal, refused_upgrade

_HOST = "wss://stream.data.alpaca.markets"
_PATHS = {"boats": "v1beta1/boats", "overnight": "v1beta1/overnight"}

_UPGRADE_SECONDS = 10.0
_WELCOME_SECONDS = 5.0
_AUTH_SECONDS = 10.0
_ACK_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_PING_SECONDS = 10.0  # aiohttp gives the pong half of this
_MAX_FRAME = 8 << 20
_POLL_SECONDS = 1.0

_encode = msgspec.msgpack.Encoder().encode


class Credentials(msgspec.Struct, frozen=True):
    """A key pair. Its repr does not show the secret, so that no log can."""

    key_id: str
    secret_key: str

    def __repr__(self) -> str:
        return "Credentials(…)"


class AlpacaSource:
    """Provider `alpaca`. Credentials are read anew for each connection, so a rotated Secret needs no restart."""

    def __init__(self, settings: Alpaca, credentials_dir: Path, ca_file: Path | None) -> None:
        self.name = f"alpaca:{settings.feed}"
        self._url = settings.stream_url or f"{_HOST}/{_PATHS.get(settings.feed, f'v2/{settings.feed}')}"
        self._secret = settings.credentials_secret_ref.name if settings.credentials_secret_ref else ""
        self._credentials_dir = credentials_dir
        self._ca_file = ca_file
        self._used: tuple[Credentials | None, bytes | None] | None = None

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[AlpacaConnection]:
        """Upgrade, welcome, login."""
        listener.entered("Connecting")
        self._used = self._mounted()
        credentials = self._credentials()
        async with aiohttp.ClientSession() as session:
            socket = await self._open(session)
            connection = AlpacaConnection(socket, listener)
            try:
                await connection.welcomed()
                listener.entered("Authenticating")
                await connection.log_in(credentials)
                listener.entered("Subscribing")
                yield connection
            finally:
                await _close(socket)
                listener.closed()

    async def remedied(self) -> None:
        """Returns when there are credentials, and they or the certificates are others than those used last."""
        while (found := self._mounted()) == self._used or found[0] is None:  # noqa: ASYNC110  a mounted file gives no event
            await asyncio.sleep(_POLL_SECONDS)

    def _credentials(self) -> Credentials:
        found = self._readable()
        if found is None:
            raise StreamError(
                "configuration",
                f"the Secret {self._secret} is missing or lacks a key: create it with kubectl create secret generic "
                f"{self._secret} --from-literal={identity.ALPACA_KEY_ID}=… "
                f"--from-literal={identity.ALPACA_SECRET_KEY}=…; the stream then starts by itself",
            )
        return found

    def _mounted(self) -> tuple[Credentials | None, bytes | None]:
        """What somebody can change while the pod runs."""
        try:
            certificates = self._ca_file.read_bytes() if self._ca_file is not None else None
        except OSError:
            certificates = None
        return self._readable(), certificates

    def _readable(self) -> Credentials | None:
        try:
            key_id = (self._credentials_dir / identity.ALPACA_KEY_ID).read_text().strip()
            secret_key = (self._credentials_dir / identity.ALPACA_SECRET_KEY).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None
        return Credentials(key_id, secret_key) if key_id and secret_key else None

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(_UPGRADE_SECONDS):
                return await session.ws_connect(
                    self._url,
                    headers={"Content-Type": "application/msgpack"},
                    heartbeat=_PING_SECONDS,
                    max_msg_size=_MAX_FRAME,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                    ssl=self._tls(),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise refused_upgrade(error, self._url) from None
        except TimeoutError:
            raise StreamError("network", f"{self._url} did not answer within {_UPGRADE_SECONDS:.0f} s") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise StreamError(
                "configuration",
                f"the certificate of {self._url} is not trusted ({error.certificate_error}): name its CA in "
                f"spec.alpaca.caConfigMapRef",
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise StreamError("network", f"{self._url} cannot be reached: {error}") from None

    def _tls(self) -> ssl.SSLContext | bool:
        if self._ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=str(self._ca_file))
        except (OSError, ssl.SSLError) as error:
            raise StreamError(
                "configuration",
                f"the ConfigMap of spec.alpaca.caConfigMapRef has no certificates under {identity.CA_KEY}: {error}",
            ) from None


class AlpacaConnection:
    """One open socket. `run` reads; `follow` writes and waits for what `run` reads in answer."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, listener: Listener) -> None:
        self._socket = socket
        self._listener = listener
        self._confirmed: frozenset[str] = frozenset()
        self._rejected: dict[str, SymbolRejection] = {}
        self._answer: asyncio.Future[SubscriptionMessage | ErrorMessage] | None = None

    async def welcomed(self) -> None:
        """Waits for the welcome."""
        message = await self._control(_WELCOME_SECONDS, "a welcome")
        if not isinstance(message, SuccessMessage):
            raise refusal(message)

    async def log_in(self, credentials: Credentials) -> None:
        """Authenticates."""
        await self._send({"action": "auth", "key": credentials.key_id, "secret": credentials.secret_key})
        message = await self._control(_AUTH_SECONDS, "an answer to the login")
        if not isinstance(message, SuccessMessage):
            raise refusal(message)

    async def follow(self, symbols: frozenset[str]) -> None:
        """Subscribes and unsubscribes the difference to what the provider last acknowledged."""
        self._rejected = {symbol: each for symbol, each in self._rejected.items() if symbol in symbols}
        if gone := sorted(self._confirmed - symbols):
            await self._request("unsubscribe", gone)
        if new := sorted(symbols - self._confirmed - self._rejected.keys()):
            await self._subscribe(new)
        self._listener.acknowledged(self._confirmed, tuple(self._rejected.values()))

    async def run(self) -> None:
        """Reads until the socket ends, which is always an error: a live stream has no end."""
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.BINARY:
                continue
            messages = decode(frame.data)
            if any(type(message) is not QuoteMessage for message in messages):
                self._heed([message for message in messages if not isinstance(message, QuoteMessage)])
                messages = [message for message in messages if isinstance(message, QuoteMessage)]
            self._listener.received(messages)  # type: ignore[arg-type]  # only quotes are left
        raise self._ended()

    async def _subscribe(self, symbols: list[str]) -> None:
        """One refused symbol makes Alpaca refuse all that were asked for with it: halve until it stands alone."""
        answer = await self._request("subscribe", symbols)
        if isinstance(answer, SubscriptionMessage):
            return
        if len(symbols) == 1:
            [symbol] = symbols
            self._rejected[symbol] = SymbolRejection(symbol=symbol, code=answer.code, message=answer.msg)
            return
        middle = len(symbols) // 2
        await self._subscribe(symbols[:middle])
        await self._subscribe(symbols[middle:])

    async def _request(self, action: str, symbols: list[str]) -> SubscriptionMessage | ErrorMessage:
        self._answer = asyncio.get_running_loop().create_future()
        await self._send({"action": action, "quotes": symbols})
        try:
            async with asyncio.timeout(_ACK_SECONDS):
                return await self._answer
        except TimeoutError:
            raise StreamError(
                "stall", f"Alpaca did not acknowledge a subscription within {_ACK_SECONDS:.0f} s: connecting anew"
            ) from None
        finally:
            self._answer = None

    def _heed(self, messages: list[Message]) -> None:
        for message in messages:
            if isinstance(message, SubscriptionMessage):
                self._confirmed = frozenset(message.quotes)
                self._resolve(message)
            elif isinstance(message, ErrorMessage):
                if message.code not in OF_A_SUBSCRIPTION:
                    raise refusal(message)
                self._resolve(message)

    def _resolve(self, answer: SubscriptionMessage | ErrorMessage) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    async def _send(self, message: dict[str, object]) -> None:
        try:
            await self._socket.send_bytes(_encode(message))
        except (aiohttp.ClientError, OSError):
            raise self._ended() from None

    async def _control(self, seconds: float, what: str) -> Message:
        """The next message, in the phases in which only control messages come."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    frame = await self._socket.receive()
                    if frame.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                        raise self._ended()
                    if frame.type is aiohttp.WSMsgType.ERROR:
                        raise self._ended()
                    messages = decode(frame.data) if frame.type is aiohttp.WSMsgType.BINARY else ()
                    if messages:
                        return messages[0]
        except TimeoutError:
            raise StreamError("stall", f"Alpaca sent not {what} within {seconds:.0f} s: connecting anew") from None

    def _ended(self) -> StreamError:
        if isinstance(self._socket.exception(), TimeoutError):
            return StreamError("stall", "Alpaca no longer answers pings: connecting anew")
        code = self._socket.close_code
        return StreamError("upstreamClosed", f"Alpaca closed the connection (code {code}): connecting anew")


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Closes in good order if the peer answers, else without it: never later than 2 s."""
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await socket.close()
