"""One client's connection: the protocol, phase by phase, unless a fault decides otherwise."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sluice_simulators.alpaca.accounts import Account, Accounts
from sluice_simulators.alpaca.batches import Batch, Framing
from sluice_simulators.alpaca.faults import (
    Acknowledgement,
    Exchange,
    Fault,
    MessageFault,
    StreamFault,
    Verdict,
    decided,
)
from sluice_simulators.alpaca.messages import AUTHENTICATED, CONNECTED, Message, ProtocolError, error, success
from sluice_simulators.alpaca.record import ConnectionRecord, Record
from sluice_simulators.alpaca.subscription import Subscription, changes_of, channel_names
from sluice_simulators.alpaca.wire import ABNORMAL, Wire, opcode_of

CLEAN_SIDES = frozenset({"client", "server"})
POLICY_VIOLATION = 1008


@dataclass(frozen=True)
class Endpoint:
    """A feed's name and path; crypto feeds have other channels."""

    feed: str
    path: str

    @property
    def crypto(self) -> bool:
        """Whether its symbols are currency pairs."""
        return "crypto" in self.path


@dataclass(frozen=True)
class Rules:
    """What connections share; `auth_timeout` in seconds, `backlog` in bytes unread before error 407."""

    accounts: Accounts
    record: Record
    auth_timeout: float
    backlog: int


class Connection:
    """Runs until the client or the server ends it."""

    def __init__(self, rules: Rules, endpoint: Endpoint, wire: Wire, faults: tuple[Fault, ...]) -> None:
        """The wire's upgrade is complete."""
        self.endpoint = endpoint
        self.wire = wire
        self.record: ConnectionRecord = rules.record.connected(endpoint.feed)
        self._rules = rules
        self._channels = channel_names(crypto=endpoint.crypto)
        self._faults = faults
        self._strikes = [fault for fault in faults if isinstance(fault, StreamFault)]
        self._mutations = [fault for fault in faults if isinstance(fault, MessageFault)]
        self._account: Account | None = None
        self._attempts = 0
        self._requests = 0
        self._deadline: asyncio.Task[None] | None = None
        wire.subscription = Subscription.nothing(self._channels)

    @property
    def authenticated(self) -> bool:
        """Whether data may be sent."""
        return self._account is not None

    async def run(self, credentials: tuple[str, str] | None) -> None:
        """The whole connection; `credentials` are those of the upgrade's headers."""
        self._deadline = asyncio.create_task(self._time_out())
        try:
            await self._welcome()
            if credentials is not None:
                await self._answer({"action": "auth", "key": credentials[0], "secret": credentials[1]})
            while (data := await self.wire.receive(self._pinged)) is not None:
                await self._handle(data)
        finally:
            self._deadline.cancel()
            self._end()

    async def deliver(self, batch: Batch, per_frame: int, *, wait: bool) -> int:
        """Sends what is subscribed of a batch; returns how many messages.

        With `wait`, returns when the client has read enough; without, a client too far behind is dropped (407).
        """
        wire = self.wire
        if wire.muted or wire.ended or not wire.subscription:
            return 0
        before = self.record.sent
        if self._strikes or self._mutations:
            await self._deliver_faulty(batch, per_frame)
        else:
            self.record.sent += await self._send(batch, Framing(wire.codec, per_frame))
        await self._relieve(wait=wait)
        return self.record.sent - before

    async def strike(self, fault: StreamFault | MessageFault) -> None:
        """A fault now."""
        await fault.strike(self.wire)

    async def _send(self, batch: Batch, framing: Framing) -> int:
        if not self.wire.compressed:
            raw, count = batch.raw(framing, self.wire.subscription)
            self.wire.write(raw)
            return count
        bodies = batch.bodies(framing.codec, self.wire.subscription)
        for payload in framing.payloads(bodies):
            await self.wire.send_payload(payload)
        return len(bodies)

    async def _relieve(self, *, wait: bool) -> None:
        if wait:
            await self.wire.drain()
        elif self.wire.backlog > self._rules.backlog:
            await self.wire.end_slow()

    async def _deliver_faulty(self, batch: Batch, per_frame: int) -> None:
        messages = batch.messages(self.wire.subscription)
        for start in range(0, len(messages), per_frame):
            frame = messages[start : start + per_frame]
            await self.wire.send([changed for message in frame for changed in self._mutated(message)])
            await self._strike_due()
            if self.wire.muted or self.wire.ended:
                return

    def _mutated(self, message: Message) -> list[Message]:
        number = self.record.sent
        self.record.sent += 1
        changed = [message]
        for fault in self._mutations:
            if fault.applies(number):
                changed = [each for old in changed for each in fault.mutate(old)]
        return changed

    async def _strike_due(self) -> None:
        due = [fault for fault in self._strikes if fault.after <= self.record.sent]
        self._strikes = [fault for fault in self._strikes if fault not in due]
        for fault in due:
            await self.strike(fault)

    async def _welcome(self) -> None:
        await self._pause("welcome")
        scripted = decided(self._faults, lambda fault: fault.welcome())
        for message in (success(CONNECTED),) if scripted is None else scripted:
            await self.wire.say(message)

    async def _handle(self, data: bytes | str) -> None:
        codec = self.wire.codec
        raw = data.encode() if isinstance(data, str) else data
        try:
            message = codec.decode(raw) if opcode_of(data) == codec.opcode else None
        except Exception:  # msgpack raises its own kinds; all of them are a syntax error to the client
            message = None
        self._rules.record.received(self.record, message)
        await self._answer(message)

    async def _answer(self, message: object) -> None:
        try:
            if not isinstance(message, Mapping):
                raise ProtocolError(400)
            if message.get("action") == "auth":
                await self._authenticate(message.get("key"), message.get("secret"))
            elif message.get("action") in ("subscribe", "unsubscribe"):
                await self._change(message)
            else:
                raise ProtocolError(400)
        except ProtocolError as refusal:
            await self.wire.say(error(refusal.code))

    async def _authenticate(self, key: object, secret: object) -> None:
        if self._account is not None:
            raise ProtocolError(403)
        if not isinstance(key, str) or not isinstance(secret, str):
            raise ProtocolError(400)
        self._attempts += 1
        await self._pause("auth")
        attempt = self._attempts
        verdict = decided(self._faults, lambda fault: fault.auth(attempt)) or self._admit(key, secret)
        self._rules.record.authenticated(self.record, key, _outcome(verdict))
        if self._deadline is not None and (self._account is not None or verdict.answer is None):
            self._deadline.cancel()
        if verdict.answer is not None:
            await self.wire.say(verdict.answer)
        if verdict.closes:
            await self.wire.close(POLICY_VIOLATION)

    def _admit(self, key: str, secret: str) -> Verdict:
        try:
            self._account = self._rules.accounts.admit(key, secret, self.endpoint.feed)
        except ProtocolError as refusal:
            return Verdict(error(refusal.code))
        return Verdict(success(AUTHENTICATED))

    async def _change(self, request: Mapping[str, object]) -> None:
        if self._account is None:
            raise ProtocolError(401)
        changes = changes_of(request, self._channels)
        before = self.wire.subscription
        after = before.plus(changes) if request["action"] == "subscribe" else before.minus(changes)
        self._account.plan.check(after)
        self._requests += 1
        asked = frozenset(symbol for symbols in changes.values() for symbol in symbols)
        await self._acknowledge(Exchange(self._requests, asked, before, after))

    async def _acknowledge(self, exchange: Exchange) -> None:
        await self._pause("ack")
        answer = decided(self._faults, lambda fault: fault.ack(exchange))
        answer = answer or Acknowledgement(exchange.after.acknowledgement(), exchange.after)
        if answer.answer is not None:
            await self.wire.say(answer.answer)
        # After the answer, so that no data comes before it.
        self.wire.subscription = answer.subscription
        self._rules.record.subscribed(self.record, answer.subscription)
        if answer.subscription:
            await self._strike_due()

    async def _pause(self, phase: str) -> None:
        delay = sum(fault.delay(phase) for fault in self._faults)
        if delay:
            await asyncio.sleep(delay)

    async def _time_out(self) -> None:
        await asyncio.sleep(self._rules.auth_timeout)
        await self.wire.say(error(404))
        await self.wire.close(POLICY_VIOLATION)

    def _pinged(self) -> None:
        self.record.pings += 1
        self._rules.record.changed()

    def _end(self) -> None:
        if self._account is not None:
            clean = self.wire.side in CLEAN_SIDES and self.wire.code != ABNORMAL
            self._rules.accounts.release(self._account, self.endpoint.feed, clean=clean)
            self._account = None
        self._rules.record.closed(self.record, self.wire.side, self.wire.code)


def _outcome(verdict: Verdict) -> str:
    if verdict.answer is None:
        return "silence"
    return str(verdict.answer.get("code", AUTHENTICATED))
