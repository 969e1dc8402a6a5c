"""Scripted faults of a served feed, in the form of `spec.synthetic.faults`: a kind, a start and a duration."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
import yaml

from .clients import Client
from .events import QUOTES, STATUSES, TRADES, Event, Quote, TradingStatus
from .ports import Audience, Source

SYMBOL_LIMIT: Final = "405"
CONNECTION_LIMIT: Final = "406"
SLOW_CLIENT: Final = "407"
HALF_OPEN: Final = "half-open"
GAP: Final = "gap"
_LATE: Final = "late"
_HALT: Final = "halt"
_MUTE: Final = "mute"
POLL_SECONDS: Final = 0.05  # between two checks of which faults are active

Kind = Literal["405", "406", "407", "half-open", "late", "halt", "mute", "gap"]


class FaultsError(ValueError):
    """A text does not declare faults. The message says what to do."""


class ScriptedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One fault, in seconds after the first connection of a client.

    405: subscriptions are refused; 406: authentication is refused; 407: clients are disconnected as too slow;
    half-open: connections stay open and nothing answers; late: events are `by_seconds` late; halt: trading is halted;
    mute: no events arrive; gap: connections are lost, and new ones are refused.
    """

    kind: Kind
    after_seconds: Annotated[float, msgspec.Meta(ge=0)]
    for_seconds: Annotated[float, msgspec.Meta(gt=0)]
    by_seconds: Annotated[float, msgspec.Meta(gt=0)] = 5.0


def parse_faults(text: str) -> tuple[ScriptedFault, ...]:
    """Return the faults of a YAML or JSON list such as `[{kind: halt, afterSeconds: 60, forSeconds: 30}]`.

    Raises:
        FaultsError: the text is not such a list.
    """
    remedy = "write a list of faults, each with kind, afterSeconds and forSeconds"
    try:
        return msgspec.convert(_with_text_kinds(yaml.safe_load(text)), tuple[ScriptedFault, ...])
    except yaml.YAMLError:
        raise FaultsError(f"it is not YAML; {remedy}") from None
    except msgspec.ValidationError as error:
        raise FaultsError(f"{error}; {remedy}") from None


def _with_text_kinds(value: object) -> object:
    """Return the document with each `kind` as text, because YAML reads 405 as a number."""
    if not isinstance(value, list):
        return value
    return [
        {**each, "kind": str(each["kind"])} if isinstance(each, dict) and "kind" in each else each for each in value
    ]


class FaultClock:
    """Which of the scripted faults are active."""

    def __init__(self, faults: Sequence[ScriptedFault] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._faults = tuple(faults)
        self._clock = clock
        self._began_at: float | None = None

    @property
    def are_scripted(self) -> bool:
        """True if there are any faults."""
        return bool(self._faults)

    def start(self) -> None:
        """Start the clock of the faults; only the first call has an effect."""
        if self._began_at is None:
            self._began_at = self._clock()

    def active_faults(self) -> tuple[ScriptedFault, ...]:
        """Return the faults that are active now."""
        if self._began_at is None or not self._faults:
            return ()
        elapsed = self._clock() - self._began_at
        return tuple(
            each for each in self._faults if each.after_seconds <= elapsed < each.after_seconds + each.for_seconds
        )

    def active_kinds(self) -> frozenset[str]:
        """Return the kinds of the faults that are active now."""
        return frozenset(each.kind for each in self.active_faults()) if self._faults else frozenset()


class FaultySource:
    """A source whose events are late, or are held back, while a scripted fault is active."""

    def __init__(self, source: Source, faults: FaultClock) -> None:
        self._source = source
        self._faults = faults

    def feeds_of_client(self, client: Client) -> tuple[str, ...]:
        """Return the names of the feeds that the client may read."""
        return self._source.feeds_of_client(client)

    def carried_channels(self, feeds: Sequence[str]) -> frozenset[str]:
        """Return the channels of the source, and that of trading statuses, which a halt needs."""
        return self._source.carried_channels(feeds) | {STATUSES}

    def newest_quote(self, feed: str, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol, or None while a fault holds quotes back."""
        if self._faults.active_kinds() & {_LATE, _HALT, _MUTE}:
            return None
        return self._source.newest_quote(feed, symbol)

    def state(self) -> Mapping[str, object]:
        """Return the state of the source, and the active faults."""
        return {**self._source.state(), "faults": sorted(self._faults.active_kinds())}

    async def run(self, audience: Audience) -> None:
        """Publish the events of the source until it ends, and those that are still late then."""
        faulty = _FaultyAudience(audience, self._faults)
        releasing = asyncio.create_task(faulty.release_forever())
        try:
            await self._source.run(faulty)
            await faulty.wait_until_released()
        finally:
            releasing.cancel()


class _FaultyAudience:
    """Passes events on to the audience, unless a fault delays or drops them."""

    def __init__(self, audience: Audience, faults: FaultClock) -> None:
        self._audience = audience
        self._faults = faults
        self._late: deque[tuple[float, str, Sequence[Event]]] = deque()  # the time of release, in order
        self._symbols: dict[tuple[str, str], None] = {}  # of each feed
        self._is_halted = False

    async def wait_for_subscription(self) -> None:
        await self._audience.wait_for_subscription()

    def publish(self, feed: str, events: Sequence[Event]) -> None:
        self._symbols.update(dict.fromkeys((feed, event.symbol) for event in events))
        active = self._faults.active_faults()
        kinds = {each.kind for each in active}
        if _MUTE in kinds:
            return
        if _HALT in kinds:
            events = [event for event in events if event.channel not in (QUOTES, TRADES)]
        delay = max((each.by_seconds for each in active if each.kind == _LATE), default=0.0)
        if not delay and not self._late:
            self._audience.publish(feed, events)
            return
        due = time.monotonic() + delay
        # Events never overtake each other: after the fault, the late ones come first.
        self._late.append((max(due, self._late[-1][0]) if self._late else due, feed, events))

    async def release_forever(self) -> None:
        """Publish late events when they are due, and report the begin and the end of halts."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._report_halt()
            while self._late and self._late[0][0] <= time.monotonic():
                _, feed, events = self._late.popleft()
                self._audience.publish(feed, events)

    async def wait_until_released(self) -> None:
        """Wait until no event is late."""
        while self._late:  # noqa: ASYNC110  a test's fault needs no event
            await asyncio.sleep(POLL_SECONDS)

    def _report_halt(self) -> None:
        is_halted = _HALT in self._faults.active_kinds()
        if is_halted == self._is_halted:
            return
        self._is_halted = is_halted
        code, now = ("H" if is_halted else "T"), time.time_ns()
        for feed, symbol in self._symbols:
            self._audience.publish(feed, [TradingStatus(symbol=symbol, ts=now, code=code, reason="scripted")])
