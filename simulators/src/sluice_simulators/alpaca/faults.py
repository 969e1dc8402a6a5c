"""Departures from the protocol: what a fault may decide at each phase of a connection, and which connection gets it."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sluice_simulators.alpaca.messages import Message
from sluice_simulators.alpaca.subscription import Subscription
from sluice_simulators.alpaca.websocket import ServerWebSocket

T = TypeVar("T")


@dataclass(frozen=True)
class UpgradeAnswer:
    """How an upgrade request is answered; `status` None completes it, 0 resets the connection."""

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    deflate: bool | None = None


@dataclass(frozen=True)
class AuthAnswer:
    """The answer to an authentication attempt (None: silence), and whether the connection then closes."""

    answer: Message | None
    closes: bool = False


@dataclass(frozen=True)
class SubscriptionRequest:
    """A (un)subscribe request: its number on the connection (from 1), its symbols, the subscription either side."""

    number: int
    asked: frozenset[str]
    before: Subscription
    after: Subscription


@dataclass(frozen=True)
class SubscriptionAnswer:
    """The answer to a request (None: silence) and the subscription that then holds."""

    answer: Message | None
    subscription: Subscription


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag=True):
    """One departure. Each hook returns None to leave its phase to the next fault or to the protocol.

    As JSON it is an object whose `fault` is the class name, e.g. `{"fault": "HttpError", "status": 503}`.
    """

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """The answer to the upgrade request."""
        return None

    def answer_delay(self, phase: str) -> float:
        """Seconds of silence before the phase's answer; phases are `welcome`, `auth` and `ack`."""
        return 0.0

    def welcome_messages(self) -> Sequence[Message] | None:
        """The messages sent once connected, each a frame."""
        return None

    def auth_answer(self, attempt: int) -> AuthAnswer | None:
        """The answer to an attempt, numbered from 1 on each connection."""
        return None

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """The answer to a subscription request."""
        return None


class StreamFault(Fault, frozen=True, kw_only=True):
    """A fault of a subscribed connection.

    Scripted, it strikes once, when `after` data messages have been sent since the first acknowledgement (0: at the
    acknowledgement). Injected, it strikes now.
    """

    after: int = 0

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Does it."""
        raise NotImplementedError


class MessageFault(Fault, frozen=True, kw_only=True):
    """A malformed or implausible data message.

    Scripted, it is applied to `messages` of the connection's data messages (None: all) from the one numbered `skip`
    (from 0). Injected, one made-up quote of a subscribed symbol (or of `symbol`) is sent with it.
    """

    skip: int = 0
    messages: int | None = 1
    symbol: str | None = None

    def changed_messages(self, message: Message) -> list[Message]:
        """What is sent in the message's place."""
        raise NotImplementedError

    def applies_to(self, number: int) -> bool:
        """Whether the connection's data message of this number (from 0) is meant."""
        return number >= self.skip and (self.messages is None or number < self.skip + self.messages)

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Sends one now."""
        await websocket.send_messages(self.changed_messages(websocket.sample_quote(self.symbol)))


@dataclass
class _ScriptedFaults:
    faults: tuple[Fault, ...]
    times: int | None
    endpoint: str | None


class FaultScript:
    """The faults that the next connections get, in the order they were asked for."""

    def __init__(self) -> None:
        """Nothing is scripted: connections follow the protocol."""
        self._scripts: deque[_ScriptedFaults] = deque()

    def schedule(self, *faults: Fault, times: int | None = 1, endpoint: str | None = None) -> None:
        """The next `times` connections (None: all) to the endpoint (None: any) get these faults together.

        Calls add up: a second call is about the connections after those of the first. No fault at all scripts
        connections without one. A connection counts at its upgrade request.
        """
        self._scripts.append(_ScriptedFaults(faults, times, endpoint))

    def clear(self) -> None:
        """Forgets what is scripted; connections already open keep theirs."""
        self._scripts.clear()

    def take_next(self, endpoint: str) -> tuple[Fault, ...]:
        """The faults of a connection that begins now."""
        for script in self._scripts:
            if script.endpoint in (None, endpoint):
                return self._count_use(script)
        return ()

    def _count_use(self, script: _ScriptedFaults) -> tuple[Fault, ...]:
        if script.times is not None:
            script.times -= 1
            if script.times <= 0:
                self._scripts.remove(script)
        return script.faults


def first_answer(faults: Iterable[Fault], hook: Callable[[Fault], T | None]) -> T | None:
    """What the first fault that has an opinion decides."""
    return next((answer for fault in faults if (answer := hook(fault)) is not None), None)
