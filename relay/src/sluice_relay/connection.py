"""One client's connection: it reads requests, and sends one frame of events at a time.

A frame is in flight until the client has answered the ping behind it. A client's library answers a ping when it reads
it, after the frames before it. Quotes that arrive meanwhile wait in the outbox, where newer ones replace them, and not
in the buffers of two kernels, where they would grow old.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import Final

from .client_socket import ClientSocket
from .events import EncodedEvent
from .hub import Hub
from .outbox import Outbox
from .protocol.messages import CONNECTED, Message, error_message, success_message
from .session import Answer, Session, SessionRules

_log = logging.getLogger(__name__)
_RELAY: Final = {"event_type": "relay"}
AUTH_SECONDS: Final = 10.0
# A client that reads nothing for so long is gone, or too slow for any feed.
READ_SECONDS: Final = 60.0
_POLICY_VIOLATION: Final = 1008
_TOO_MANY_TRADES: Final = "it reads its trades more slowly than they arrive; subscribe to fewer symbols"


class ClientConnection:
    """One client, from the welcome message until the client or the server ends the connection."""

    def __init__(self, socket: ClientSocket, rules: SessionRules, hub: Hub, *, crypto: bool) -> None:
        """Call `run` once `socket` is open."""
        self.session = Session(rules, crypto=crypto)
        self.outbox = Outbox(socket.codec)
        self.refusals: dict[int, int] = {}  # the number of each error code
        self._rules = rules
        self._hub = hub
        self._socket = socket
        self._control: deque[bytes] = deque()
        self._work = asyncio.Event()
        self._is_dropped = False
        self._dropping: asyncio.Task[None] | None = None

    def add_event(self, event: EncodedEvent) -> None:
        """Add an event to the outbox, and return at once. A client with too many trades waiting is disconnected."""
        if self._is_dropped:
            return
        self.outbox.add_event(event)
        if self.outbox.is_over_bound and self._dropping is None:  # also while the client reads nothing
            self._dropping = asyncio.create_task(self.drop(407, _TOO_MANY_TRADES))
        self._work.set()

    def become_half_open(self) -> None:
        """Answer nothing from now on, and leave the connection open."""
        self._socket.is_half_open = True

    def abort(self) -> None:
        """End the connection without a close handshake."""
        self._socket.abort()

    async def close(self, code: int) -> None:
        """End the connection with a close frame."""
        await self._socket.close(code)

    async def drop(self, code: int, reason: str) -> None:
        """Send an error, and end the connection. A client that does not read may not receive the error."""
        if self._is_dropped:
            return
        self._is_dropped = True
        self._count_refusal(code)
        _log.warning("%s is disconnected with error %d: %s", self.name, code, reason, extra=_RELAY)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._socket.send_frame(self._socket.codec.encode([error_message(code)]))
        self._socket.hang_up()

    @property
    def name(self) -> str:
        """The key of the client for log lines, or words for a client that has not authenticated."""
        client = self.session.client
        return f"client {client.key}" if client is not None else "a client without authentication"

    async def run(self, credentials: tuple[str, str] | None) -> None:
        """Serve the client until the connection ends; `credentials` come from the headers of the upgrade request."""
        tasks = [asyncio.create_task(self._send_forever()), asyncio.create_task(self._close_without_authentication())]
        self._send_control(success_message(CONNECTED))
        if credentials is not None:
            self._answer({"action": "auth", "key": credentials[0], "secret": credentials[1]})
        try:
            while True:
                self._answer(await self._socket.receive_request())
        except (EOFError, ConnectionError):
            return
        finally:
            self._hub.remove(self)
            self.session.end()
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _answer(self, request: object) -> None:
        if self._socket.is_half_open:
            return
        answer = self.session.answer_request(request)
        if answer.refusal is not None:
            self._count_refusal(answer.refusal)
            self._log_refusal(request, answer.refusal)
        for message in answer.messages:
            self._send_control(message)
        # The sender sends control messages first, so that no event precedes the acknowledgement.
        self._hub.set_subscription(self, self.session.feeds, self.session.subscription, pairs=self.session.is_crypto)
        self.outbox.retain_subscribed_quotes(self.session.subscription)
        self._add_newest_quotes(answer)

    def _add_newest_quotes(self, answer: Answer) -> None:
        source = self._rules.source
        for symbol in answer.snapshot_symbols:
            for feed in self.session.feeds:
                quote = source.newest_quote(feed, symbol)
                if quote is not None:
                    self.outbox.add_snapshot_quote(EncodedEvent(quote))
        self._work.set()

    def _send_control(self, message: Message) -> None:
        self._control.append(self._socket.codec.encode([message]))
        self._work.set()

    async def _send_forever(self) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                await self._send_waiting()
        except ConnectionError:
            self._socket.abort()
        except TimeoutError:
            await self.drop(407, f"it has read nothing for {READ_SECONDS:.0f} s")

    async def _send_waiting(self) -> None:
        while True:
            while self._control:
                await self._socket.send_frame(self._control.popleft())
            payload = self.outbox.take_frame()
            if payload is None:
                return
            await self._socket.send_frame_and_wait_until_read(payload, READ_SECONDS)

    async def _close_without_authentication(self) -> None:
        await asyncio.sleep(AUTH_SECONDS)
        if self.session.client is None and not self._socket.is_half_open:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_frame(self._socket.codec.encode([error_message(404)]))
                await self._socket.close(_POLICY_VIOLATION)

    def _count_refusal(self, code: int) -> None:
        self.refusals[code] = self.refusals.get(code, 0) + 1

    def _log_refusal(self, request: object, code: int) -> None:
        """Log why a client was refused, without what it sent: a key may be a secret in the wrong place."""
        if code == 402 and isinstance(request, dict):
            is_known = self._rules.directory.has_key(str(request.get("key")))
            problem = "the secret of a known key is wrong" if is_known else "no client has this key"
            _log.warning("a client is refused with error 402: %s; correct it in the client", problem, extra=_RELAY)
            return
        _log.warning("%s is refused with error %d", self.name, code, extra=_RELAY)
