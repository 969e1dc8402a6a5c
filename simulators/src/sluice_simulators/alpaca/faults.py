"""Deviations from the protocol: what a fault can change in each phase of a connection, and which connections get it."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sluice_relay.protocol.messages import Message
from sluice_relay.protocol.subscription import Subscription
from sluice_simulators.alpaca.websocket import ServerWebSocket

T = TypeVar("T")


@dataclass(frozen=True)
class UpgradeAnswer:
    """The answer to an upgrade request; `status` None completes the upgrade, 0 resets the connection."""

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    deflate: bool | None = None
    body: str = ""


@dataclass(frozen=True)
class AuthAnswer:
    """The answer to an authentication attempt (None: no answer), and whether the connection then closes."""

    answer: Message | None
    closes: bool = False


@dataclass(frozen=True)
class SubscriptionRequest:
    """A subscribe or unsubscribe request: its number on the connection (from 1) and its symbols.

    `before` and `after` are the connection's subscription without and with the requested change.
    """

    number: int
    asked: frozenset[str]
    before: Subscription
    after: Subscription


@dataclass(frozen=True)
class SubscriptionAnswer:
    """The answer to a subscription request (None: no answer) and the subscription that is then in effect."""

    answer: Message | None
    subscription: Subscription


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag=True):
    """One deviation from the protocol.

    Each method stands for one phase. It returns None if this fault leaves the phase to the next fault or to the
    protocol.

    As JSON, a fault is an object whose `fault` is the class name, for example `{"fault": "HttpError", "status": 503}`.
    """

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """Return the answer to the upgrade request, or None."""
        return None

    def answer_delay(self, phase: str) -> float:
        """Return the seconds by which the answer of a phase is late; phases are `welcome`, `auth` and `ack`."""
        return 0.0

    def welcome_messages(self) -> Sequence[Message] | None:
        """Return the messages that the server sends on connecting, each in its own frame, or None."""
        return None

    def welcome_frame(self) -> bytes | str | None:
        """Return the payload of a frame that the server sends instead of the welcome, or None."""
        return None

    def uses_text_frames(self) -> bool:
        """Return True if the server sends JSON to this client, whatever encoding the client requests."""
        return False

    def auth_answer(self, attempt: int) -> AuthAnswer | None:
        """Return the answer to an authentication attempt, or None; attempts are numbered from 1 on each connection."""
        return None

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """Return the answer to a subscription request, or None."""
        return None


class StreamFault(Fault, frozen=True, kw_only=True):
    """A fault of a subscribed connection.

    If scripted, it is applied once: when the server has sent `after` data messages since the first acknowledgement (0:
    at the acknowledgement). If injected, it is applied at once.
    """

    after: int = 0

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Apply the fault to the connection."""
        raise NotImplementedError


class MessageFault(Fault, frozen=True, kw_only=True):
    """A fault that makes data messages malformed or implausible.

    If scripted, it changes `messages` of the connection's data messages (None: all), starting with number `skip` (from
    0). If injected, the server sends one changed sample quote of a subscribed symbol, or of `symbol`.
    """

    skip: int = 0
    messages: int | None = 1
    symbol: str | None = None

    def changed_messages(self, message: Message) -> list[Message]:
        """Return the messages that the server sends instead of this message."""
        raise NotImplementedError

    def applies_to(self, number: int) -> bool:
        """Return True if the fault changes the connection's data message with this number (from 0)."""
        return number >= self.skip and (self.messages is None or number < self.skip + self.messages)

    async def apply(self, websocket: ServerWebSocket) -> None:
        """Send one changed sample quote now."""
        await websocket.send_messages(self.changed_messages(websocket.sample_quote(self.symbol)))


@dataclass
class _ScriptedFaults:
    faults: tuple[Fault, ...]
    times: int | None
    endpoint: str | None


class FaultScript:
    """The scripted faults of the next connections, in the order in which `schedule` received them."""

    def __init__(self) -> None:
        """No fault is scripted: connections follow the protocol."""
        self._scripts: deque[_ScriptedFaults] = deque()

    def schedule(self, *faults: Fault, times: int | None = 1, endpoint: str | None = None) -> None:
        """Give these faults together to each of the next `times` connections (None: all) to the endpoint (None: any).

        A second call applies to the connections after those of the first call. A call without faults scripts
        connections that have none. A connection counts from its upgrade request.
        """
        self._scripts.append(_ScriptedFaults(faults, times, endpoint))

    def clear(self) -> None:
        """Remove all scripted faults; open connections keep the faults that they already have."""
        self._scripts.clear()

    def take_next(self, endpoint: str) -> tuple[Fault, ...]:
        """Return the faults of a connection that begins now, and count it as one of the scripted connections."""
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
    """Return the first answer that is not None, asking the faults in order; None if there is no such answer."""
    return next((answer for fault in faults if (answer := hook(fault)) is not None), None)
