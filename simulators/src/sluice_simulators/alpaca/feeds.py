"""The sources of data: a tape played at a chosen speed, or a generator with a chosen rate."""

import asyncio
import random
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from pathlib import Path
from typing import Literal, Protocol

from msgpack import Timestamp

from sluice_relay.protocol.encoding import MSGPACK
from sluice_relay.protocol.messages import Message, now
from sluice_simulators.alpaca.batches import EncodedTape, MessageBatch
from sluice_simulators.alpaca.live_connections import LiveConnections
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.tapes import TapeQuote, read_tape

UNIVERSE = ("AAPL", "AMZN", "BAC", "GOOGL", "IBM", "META", "MSFT", "NVDA", "SPY", "TSLA")
# Messages to send before other tasks get a turn: about one socket buffer.
STRIDE = 512


class Feed(Protocol):
    """A source of data for the live connections."""

    async def play(self, connections: LiveConnections) -> None:
        """Deliver data to the connections until the feed ends, if it ends at all."""


@dataclass(frozen=True)
class TapeFeed:
    """The quotes of a tape.

    `speed`: 1 plays as recorded, 60 plays an hour in a minute, 0 plays as fast as the clients read and waits while no
    client is subscribed. `batch` is the most messages in a frame. The tape starts when all symbols of `expect` are
    subscribed (if empty: when any symbol is).

    `at_end`: `stay` leaves the connections open and silent, `close` closes them (1000), `repeat` plays the tape again.
    `restamp` replaces the tape's times by the time of sending; without it, the times of a repeated tape go back.
    """

    tape: Path | Sequence[TapeQuote]
    speed: float = 0.0
    batch: int = 1
    expect: frozenset[str] = frozenset()
    at_end: Literal["stay", "close", "repeat"] = "stay"
    restamp: bool = False

    async def play(self, connections: LiveConnections) -> None:
        """Play the whole tape; with `repeat`, play it until the task is cancelled."""
        quotes = list(read_tape(self.tape)) if isinstance(self.tape, Path) else self.tape
        tape = EncodedTape(quotes, keep_frames=not self.speed)
        # Encode before a client waits for data: it takes a second for 100,000 quotes.
        tape.encoded_messages(MSGPACK)
        await connections.wait_for_subscriptions(self.expect)
        await self._play_once(tape, connections)
        while self.at_end == "repeat":
            await self._play_once(tape, connections)
        if self.at_end == "close":
            await connections.close_all(1000, within=1.0)

    async def _play_once(self, tape: EncodedTape, connections: LiveConnections) -> None:
        await (
            self._play_at_recorded_pace(tape, connections)
            if self.speed
            else self._play_at_full_speed(tape, connections)
        )

    async def _play_at_full_speed(self, tape: EncodedTape, connections: LiveConnections) -> None:
        stride = self.batch * max(1, STRIDE // self.batch)
        for start in range(0, len(tape.quotes), stride):
            await connections.wait_for_subscriptions(())
            await connections.deliver(
                tape.batch(start, start + stride, self._replacement_time()), self.batch, wait=True
            )
            # Draining returns at once while the kernel has room, so give the tasks that read a turn.
            await asyncio.sleep(0)

    async def _play_at_recorded_pace(self, tape: EncodedTape, connections: LiveConnections) -> None:
        times = [(quote.time_ms - tape.quotes[0].time_ms) / 1000 / self.speed for quote in tape.quotes]
        began = time.monotonic()
        start = 0
        while start < len(times):
            await asyncio.sleep(max(0.0, times[start] - (time.monotonic() - began)))
            stop = bisect_right(times, time.monotonic() - began, lo=start)
            await connections.deliver(tape.batch(start, stop, self._replacement_time()), self.batch, wait=False)
            start = stop

    def _replacement_time(self) -> Timestamp | None:
        return now() if self.restamp else None


@dataclass(frozen=True)
class GeneratorFeed:
    """Random-walk quotes of all subscribed symbols in turn, stamped with the time of sending; the feed never ends.

    The prices of a symbol depend only on `seed` and the symbol. `rate` is the total number of quotes per second; 0
    sends as fast as the clients read. `batch` is the number of messages in a frame. For a client that subscribes to the
    wildcard, the feed generates the symbols of `universe`.
    """

    rate: float = 100.0
    seed: int = 1
    batch: int = 1
    universe: tuple[str, ...] = UNIVERSE

    async def play(self, connections: LiveConnections) -> None:
        """Generate quotes until the task is cancelled."""
        paths: dict[str, Iterator[TapeQuote]] = {}
        began, sent = time.monotonic(), 0
        while True:
            began += await _wait_for_subscribers(connections)
            due = await self._wait_for_due_count(began, sent)
            messages = list(islice(self._quotes_in_turn(paths, connections.subscribed_symbols, sent), due))
            await connections.deliver(MessageBatch(messages), self.batch, wait=not self.rate)
            await asyncio.sleep(0)
            sent += len(messages)

    async def _wait_for_due_count(self, began: float, sent: int) -> int:
        if not self.rate:
            return self.batch * max(1, STRIDE // self.batch)
        await asyncio.sleep(max(0.0, (sent + self.batch) / self.rate - (time.monotonic() - began)))
        behind = int((time.monotonic() - began) * self.rate) - sent
        return self.batch * max(1, behind // self.batch)

    def _quotes_in_turn(
        self, paths: dict[str, Iterator[TapeQuote]], subscribed: frozenset[str], sent: int
    ) -> Iterator[Message]:
        names = _symbols_in_turn(subscribed, self.universe)
        # All clients may have unsubscribed during the wait for the next frame; then there is nothing to generate.
        for number in count(sent) if names else ():
            symbol = names[number % len(names)]
            path = paths.setdefault(symbol, random_walk_quotes(self.seed, symbol))
            yield quote_message(next(path), now())


async def _wait_for_subscribers(connections: LiveConnections) -> float:
    """Wait until any symbol is subscribed; return the seconds waited, for which the rate must not compensate."""
    began = time.monotonic()
    await connections.wait_for_subscriptions(())
    return time.monotonic() - began


@lru_cache(maxsize=4)
def _symbols_in_turn(subscribed: frozenset[str], universe: tuple[str, ...]) -> list[str]:
    return sorted(universe if "*" in subscribed else subscribed)


def random_walk_quotes(seed: int, symbol: str) -> Iterator[TapeQuote]:
    """Yield the endless random-walk quotes of one symbol, the same for the same seed; their time is 0."""
    source = random.Random(f"{seed}/{symbol}")
    cents = source.randrange(1_000, 50_000)
    while True:
        cents = max(100, cents + source.randrange(-5, 6))
        bid, ask = cents / 100, (cents + source.randrange(1, 4)) / 100
        yield TapeQuote(0, symbol, bid, 100 * source.randrange(1, 50), ask, 100 * source.randrange(1, 50))
