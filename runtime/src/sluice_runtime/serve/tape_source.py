"""A tape as a source of the relay."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from sluice_relay import events
from sluice_relay.clients import Client
from sluice_relay.ports import Audience

from ..adapters.tape_file import open_tape
from ..adapters.tape_rows import TapeEvent, parse_tape_events
from ..domain.failure import StreamError
from ..domain.market import Bar, Quote, Trade

_log = logging.getLogger(__name__)
_SERVE: Final = {"event_type": "serve"}
_FEED: Final = "tape"
_REMEDY: Final = "write one with sluice-runtime sample-tape {name}, or correct --tape"
# The rows that are read before the first client connects: they show what the tape has.
_CHECKED_ROWS: Final = 100_000
_BATCH: Final = 256  # other tasks run after this many events
_SHORTEST_WAIT: Final = 0.001
_MICROSECOND: Final = 1_000  # in nanoseconds
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TapeContents(msgspec.Struct, frozen=True):
    """The channels and symbols of the first rows of a tape."""

    channels: frozenset[str]
    symbols: tuple[str, ...]


class Playback(msgspec.Struct, frozen=True):
    """How a tape is played. `speed` 0 is as fast as possible; `restamp` gives events the time of now."""

    speed: float = 1.0
    restamp: bool = False
    repeat: bool = False


def read_tape_events(path: Path) -> Iterator[TapeEvent]:
    """Yield the quotes, trades and bars of a tape in order.

    Raises:
        StreamError: the file cannot be read as a tape; the message says what to do.
    """
    with open_tape(path, _REMEDY) as lines:
        yield from parse_tape_events(lines, path.name)


def read_tape_contents(path: Path) -> TapeContents:
    """Return what the first rows of a tape have.

    Raises:
        StreamError: the file cannot be read as a tape, or has no quotes, trades or bars.
    """
    channels, symbols = set[str](), dict[str, None]()
    for event in islice(read_tape_events(path), _CHECKED_ROWS):
        channels.add(_channel_of_event(event))
        symbols[event.symbol] = None
    if not symbols:
        raise StreamError("configuration", f"the tape {path.name} has no quotes; record another one")
    return TapeContents(frozenset(channels), tuple(symbols))


class TapeSource:
    """Plays a tape to the clients, from the first subscription on."""

    def __init__(self, path: Path, contents: TapeContents, playback: Playback) -> None:
        """`contents` are those of the tape at `path`."""
        self._path = path
        self._contents = contents
        self._playback = playback
        self._newest: dict[str, events.Quote] = {}
        self._phase = "waiting for a subscription"
        self._position: datetime | None = None

    def feeds_of_client(self, _client: Client) -> tuple[str, ...]:
        """Return the one feed, which every client may read."""
        return (_FEED,)

    def carried_channels(self, _feeds: Sequence[str]) -> frozenset[str]:
        """Return the channels of the events that the tape has."""
        return self._contents.channels

    def newest_quote(self, _feed: str, symbol: str) -> events.Quote | None:
        """Return the newest quote that was played."""
        return self._newest.get(symbol)

    def state(self) -> Mapping[str, object]:
        """Return the name of the tape, and how far it was played."""
        return {
            "tape": self._path.name,
            "phase": self._phase,
            "position": self._position.isoformat() if self._position is not None else None,
            "speed": self._playback.speed,
        }

    async def run(self, audience: Audience) -> None:
        """Play the tape once, or again and again.

        Raises:
            StreamError: a row beyond the first ones is not understood.
        """
        await audience.wait_for_subscription()
        self._phase = "playing"
        _log.info("a client has subscribed: the tape %s starts", self._path.name, extra=_SERVE)
        await self._play_once(audience)
        while self._playback.repeat:
            _log.info("the tape %s has ended, and starts again", self._path.name, extra=_SERVE)
            await self._play_once(audience)
        self._phase = "ended"
        _log.info("the tape %s has ended; connections stay open", self._path.name, extra=_SERVE)

    async def _play_once(self, audience: Audience) -> None:
        self._position = None
        pace = _Pace(self._playback.speed)
        batch: list[events.Event] = []
        for event in read_tape_events(self._path):
            # A row with an earlier time than those before it, such as a trade of a gap, is due at once.
            self._position = event.ts if self._position is None else max(self._position, event.ts)
            wait = pace.seconds_until(self._position)
            if wait > _SHORTEST_WAIT or len(batch) >= _BATCH:
                self._publish(audience, batch)
                batch = []
                await asyncio.sleep(wait)
            batch.append(self._to_relay_event(event, self._position))
        self._publish(audience, batch)
        await asyncio.sleep(0)  # also for a short tape that is repeated without waits

    def _publish(self, audience: Audience, batch: list[events.Event]) -> None:
        for event in batch:
            if isinstance(event, events.Quote):
                self._newest[event.symbol] = event
        audience.publish(_FEED, batch)

    def _to_relay_event(self, event: TapeEvent, position: datetime) -> events.Event:
        """Return the event. Restamped, it is as old now as it was at this position of the tape."""
        if self._playback.restamp:
            ts = time.time_ns() - _nanoseconds(position - event.ts)
        else:
            ts = _nanoseconds(event.ts - _EPOCH)
        match event:
            case Quote():
                return events.Quote(
                    symbol=event.symbol, ts=ts, bid=event.bid, ask=event.ask,
                    bid_size=event.bid_size, ask_size=event.ask_size,
                )  # fmt: skip
            case Trade():
                return events.Trade(symbol=event.symbol, ts=ts, price=event.price, size=event.size or 0.0)
            case Bar():
                return events.Bar(
                    symbol=event.symbol, ts=ts, open=event.open, high=event.high,
                    low=event.low, close=event.close, volume=event.volume,
                )  # fmt: skip


class _Pace:
    """When the events of a tape are due, from its first event on."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began_at = time.monotonic()
        self._first: datetime | None = None

    def seconds_until(self, position: datetime) -> float:
        """Return the seconds until this position of the tape is due, 0 if it is due now."""
        if self._first is None:
            self._first = position
        if not self._speed:
            return 0.0
        due = self._began_at + (position - self._first).total_seconds() / self._speed
        return max(0.0, due - time.monotonic())


def _channel_of_event(event: TapeEvent) -> str:
    match event:
        case Quote():
            return events.QUOTES
        case Trade():
            return events.TRADES
        case Bar():
            return events.BARS


def _nanoseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1) * _MICROSECOND
