"""One client's connection: it follows the protocol in each phase, unless a fault changes the phase's outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sluice_relay.protocol.messages import (
    AUTHENTICATED,
    CONNECTED,
    Message,
    ProtocolError,
    error_message,
    success_message,
)
from sluice_relay.protocol.subscription import Subscription, channel_names, parse_changes
from sluice_simulators.alpaca.accounts import Account, Accounts
from sluice_simulators.alpaca.batches import Batch, Framing
from sluice_simulators.alpaca.faults import (
    AuthAnswer,
    Fault,
    MessageFault,
    StreamFault,
    SubscriptionAnswer,
    SubscriptionRequest,
    first_answer,
)
from sluice_simulators.alpaca.record import StreamConnectionRecord, StreamRecord
from sluice_simulators.alpaca.websocket import ABNORMAL, ServerWebSocket, opcode_of

CLEAN_SIDES = frozenset({"client", "server"})
POLICY_VIOLATION = 1008


@dataclass(frozen=True)
class Endpoint:
    """The name and the URL path of a feed; crypto feeds have other channels than stock feeds."""

    feed: str
    path: str

    @property
    def is_crypto(self) -> bool:
        """True if the feed's symbols are currency pairs."""
        return "crypto" in self.path


@dataclass(frozen=True)
class ConnectionSettings:
    """The state and the limits that all connections share.

    `auth_timeout` is in seconds. A client with more than `backlog` unread bytes gets error 407.
    """

    accounts: Accounts
    record: StreamRecord
    auth_timeout: float
    backlog: int


class StreamConnection:
    """One client's connection, from the welcome message until the client or the server ends it."""

    def __init__(
        self, rules: ConnectionSettings, endpoint: Endpoint, websocket: ServerWebSocket, faults: tuple[Fault, ...]
    ) -> None:
        """The upgrade of `websocket` is complete; the faults apply to this connection only."""
        self.endpoint = endpoint
        self.websocket = websocket
        self.record: StreamConnectionRecord = rules.record.add_connection(endpoint.feed)
        self._rules = rules
        self._channels = channel_names(crypto=endpoint.is_crypto)
        self._faults = faults
        self._stream_faults = [fault for fault in faults if isinstance(fault, StreamFault)]
        self._message_faults = [fault for fault in faults if isinstance(fault, MessageFault)]
        self._account: Account | None = None
        self._attempts = 0
        self._requests = 0
        self._deadline: asyncio.Task[None] | None = None
        websocket.subscription = Subscription.empty(self._channels)

    @property
    def is_authenticated(self) -> bool:
        """True if the client has authenticated, so that the server may send data."""
        return self._account is not None

    async def run(self, credentials: tuple[str, str] | None) -> None:
        """Serve the client until the connection ends; `credentials` come from the headers of the upgrade request."""
        self._deadline = asyncio.create_task(self._close_after_auth_timeout())
        try:
            await self._send_welcome()
            if credentials is not None:
                await self._answer_message({"action": "auth", "key": credentials[0], "secret": credentials[1]})
            while (data := await self.websocket.receive_data(self._count_ping)) is not None:
                await self._handle_data(data)
        finally:
            self._deadline.cancel()
            self._release_and_record_close()

    async def deliver(self, batch: Batch, per_frame: int, *, wait: bool) -> int:
        """Send the subscribed messages of a batch and return their number.

        With `wait`, return when the client has read enough for more to be written. Without `wait`, drop the connection
        with error 407 if the client is too far behind.
        """
        websocket = self.websocket
        if websocket.muted or websocket.is_closed or not websocket.subscription:
            return 0
        before = self.record.sent
        if self._stream_faults or self._message_faults:
            await self._deliver_faulty(batch, per_frame)
        else:
            self.record.sent += await self._send(batch, Framing(websocket.codec, per_frame))
        await self._apply_backpressure(wait=wait)
        return self.record.sent - before

    async def apply_fault(self, fault: StreamFault | MessageFault) -> None:
        """Apply a fault to this connection now."""
        await fault.apply(self.websocket)

    async def _send(self, batch: Batch, framing: Framing) -> int:
        if not self.websocket.is_compressed:
            raw, count = batch.raw_frames(framing, self.websocket.subscription)
            self.websocket.write_raw(raw)
            return count
        bodies = batch.encoded_messages(framing.codec, self.websocket.subscription)
        for payload in framing.frame_payloads(bodies):
            await self.websocket.send_payload(payload)
        return len(bodies)

    async def _apply_backpressure(self, *, wait: bool) -> None:
        if wait:
            await self.websocket.drain()
        elif self.websocket.unsent_bytes > self._rules.backlog:
            await self.websocket.drop_slow_client()

    async def _deliver_faulty(self, batch: Batch, per_frame: int) -> None:
        messages = batch.subscribed_messages(self.websocket.subscription)
        for start in range(0, len(messages), per_frame):
            frame = messages[start : start + per_frame]
            await self.websocket.send_messages(
                [changed for message in frame for changed in self._apply_message_faults(message)]
            )
            await self._apply_due_faults()
            if self.websocket.muted or self.websocket.is_closed:
                return

    def _apply_message_faults(self, message: Message) -> list[Message]:
        number = self.record.sent
        self.record.sent += 1
        changed = [message]
        for fault in self._message_faults:
            if fault.applies_to(number):
                changed = [each for old in changed for each in fault.changed_messages(old)]
        return changed

    async def _apply_due_faults(self) -> None:
        due = [fault for fault in self._stream_faults if fault.after <= self.record.sent]
        self._stream_faults = [fault for fault in self._stream_faults if fault not in due]
        for fault in due:
            await self.apply_fault(fault)

    async def _send_welcome(self) -> None:
        await self._wait_scripted_delay("welcome")
        foreign = next((frame for fault in self._faults if (frame := fault.welcome_frame()) is not None), None)
        if foreign is not None:
            raw = foreign.encode() if isinstance(foreign, str) else foreign
            await self.websocket.send_payload(raw, opcode_of(foreign))
            return
        scripted = first_answer(self._faults, lambda fault: fault.welcome_messages())
        for message in (success_message(CONNECTED),) if scripted is None else scripted:
            await self.websocket.send_control(message)

    async def _handle_data(self, data: bytes | str) -> None:
        codec = self.websocket.codec
        raw = data.encode() if isinstance(data, str) else data
        try:
            message = codec.decode(raw) if opcode_of(data) == codec.opcode else None
        except Exception:  # msgpack raises exceptions of its own; the client gets a syntax error for each
            message = None
        self._rules.record.add_client_message(self.record, message)
        await self._answer_message(message)

    async def _answer_message(self, message: object) -> None:
        try:
            if not isinstance(message, Mapping):
                raise ProtocolError(400)
            if message.get("action") == "auth":
                await self._handle_auth_request(message.get("key"), message.get("secret"))
            elif message.get("action") in ("subscribe", "unsubscribe"):
                await self._change_subscription(message)
            else:
                raise ProtocolError(400)
        except ProtocolError as refusal:
            await self.websocket.send_control(error_message(refusal.code))

    async def _handle_auth_request(self, key: object, secret: object) -> None:
        if self._account is not None:
            raise ProtocolError(403)
        if not isinstance(key, str) or not isinstance(secret, str):
            raise ProtocolError(400)
        self._attempts += 1
        await self._wait_scripted_delay("auth")
        attempt = self._attempts
        auth_answer = first_answer(
            self._faults, lambda fault: fault.auth_answer(attempt)
        ) or self._open_account_connection(key, secret)
        self._rules.record.add_auth_attempt(self.record, key, _outcome_text(auth_answer))
        if self._deadline is not None and (self._account is not None or auth_answer.answer is None):
            self._deadline.cancel()
        if auth_answer.answer is not None:
            await self.websocket.send_control(auth_answer.answer)
        if auth_answer.closes:
            await self.websocket.close(POLICY_VIOLATION)

    def _open_account_connection(self, key: str, secret: str) -> AuthAnswer:
        try:
            self._account = self._rules.accounts.open_connection(key, secret, self.endpoint.feed)
        except ProtocolError as refusal:
            return AuthAnswer(error_message(refusal.code))
        return AuthAnswer(success_message(AUTHENTICATED))

    async def _change_subscription(self, request: Mapping[str, object]) -> None:
        if self._account is None:
            raise ProtocolError(401)
        changes = parse_changes(request, self._channels)
        before = self.websocket.subscription
        after = before.with_added(changes) if request["action"] == "subscribe" else before.with_removed(changes)
        self._account.plan.check_symbol_limit(after)
        self._requests += 1
        asked = frozenset(symbol for symbols in changes.values() for symbol in symbols)
        await self._acknowledge_request(SubscriptionRequest(self._requests, asked, before, after))

    async def _acknowledge_request(self, request: SubscriptionRequest) -> None:
        await self._wait_scripted_delay("ack")
        answer = first_answer(self._faults, lambda fault: fault.subscription_answer(request))
        answer = answer or SubscriptionAnswer(request.after.acknowledgement_message(), request.after)
        if answer.answer is not None:
            await self.websocket.send_control(answer.answer)
        # Set after the answer, so that no data precedes the acknowledgement.
        self.websocket.subscription = answer.subscription
        self._rules.record.add_subscription(self.record, answer.subscription)
        if answer.subscription:
            await self._apply_due_faults()

    async def _wait_scripted_delay(self, phase: str) -> None:
        delay = sum(fault.answer_delay(phase) for fault in self._faults)
        if delay:
            await asyncio.sleep(delay)

    async def _close_after_auth_timeout(self) -> None:
        await asyncio.sleep(self._rules.auth_timeout)
        await self.websocket.send_control(error_message(404))
        await self.websocket.close(POLICY_VIOLATION)

    def _count_ping(self) -> None:
        self.record.pings += 1
        self._rules.record.notify_waiters()

    def _release_and_record_close(self) -> None:
        if self._account is not None:
            clean = self.websocket.side in CLEAN_SIDES and self.websocket.code != ABNORMAL
            self._rules.accounts.close_connection(self._account, self.endpoint.feed, clean=clean)
            self._account = None
        self._rules.record.mark_closed(self.record, self.websocket.side, self.websocket.code)


def _outcome_text(auth_answer: AuthAnswer) -> str:
    if auth_answer.answer is None:
        return "silence"
    return str(auth_answer.answer.get("code", AUTHENTICATED))
