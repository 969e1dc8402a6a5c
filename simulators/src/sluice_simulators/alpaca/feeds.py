"""Where data comes from: a tape, played at a speed, or a generator, at a rate; for whoever is subscribed."""

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

from sluice_simulators.alpaca.batches import EncodedTape, MessageBatch
from sluice_simulators.alpaca.encoding import MSGPACK
from sluice_simulators.alpaca.live_connections import LiveConnections
from sluice_simulators.alpaca.messages import Message, now, quote_message
from sluice_simulators.tapes import TapeQuote, read_tape

UNIVERSE = ("AAPL", "AMZN", "BAC", "GOOGL", "IBM", "META", "MSFT", "NVDA", "SPY", "TSLA")
# Messages between looks at the rest of the server: about one socket buffer.
STRIDE = 512


class Feed(Protocol):
    """Plays until its end, if it has one."""

    async def play(self, connections: LiveConnections) -> None:
        """Delivers to the stage."""


@dataclass(frozen=True)
class TapeFeed:
    """A tape.

    `speed` 1 is as recorded, 60 an hour in a minute, 0 as fast as the clients read (which then holds while nobody is
    subscribed). `batch` is the most messages in a frame. It starts when all of `expect` are subscribed (none: when
    anything is). At its end the connections stay open and silent, close (1000), or it plays again; `restamp` puts the
    time of sending in place of the tape's, without which a repeated tape goes back in time.
    """

    tape: Path | Sequence[TapeQuote]
    speed: float = 0.0
    batch: int = 1
    expect: frozenset[str] = frozenset()
    at_end: Literal["stay", "close", "repeat"] = "stay"
    restamp: bool = False

    async def play(self, connections: LiveConnections) -> None:
        """All of it; with `repeat`, until cancelled."""
        quotes = list(read_tape(self.tape)) if isinstance(self.tape, Path) else self.tape
        tape = EncodedTape(quotes, keep_frames=not self.speed)
        # The usual encoding, before anyone waits for data: a second for a hundred thousand quotes.
        tape.encoded_bodies(MSGPACK)
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
            # Draining returns at once while the kernel has room: the readers need their turn.
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
    """Random-walk quotes of all subscribed symbols in turn, stamped when sent; never ends.

    The prices of a symbol are a function of `seed` and the symbol alone. `rate` is quotes a second in all, 0 as fast
    as the clients read; `batch` the messages of a frame. The wildcard stands for the symbols of `universe`.
    """

    rate: float = 100.0
    seed: int = 1
    batch: int = 1
    universe: tuple[str, ...] = UNIVERSE

    async def play(self, connections: LiveConnections) -> None:
        """Until cancelled."""
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
        # The audience may have left while the next frame was being waited for: then there is nothing to make.
        for number in count(sent) if names else ():
            symbol = names[number % len(names)]
            path = paths.setdefault(symbol, random_walk_quotes(self.seed, symbol))
            yield quote_message(next(path), now())


async def _wait_for_subscribers(connections: LiveConnections) -> float:
    """Waits until anything is subscribed; returns the seconds, which a rate must not try to make up for."""
    began = time.monotonic()
    await connections.wait_for_subscriptions(())
    return time.monotonic() - began


@lru_cache(maxsize=4)
def _symbols_in_turn(subscribed: frozenset[str], universe: tuple[str, ...]) -> list[str]:
    return sorted(universe if "*" in subscribed else subscribed)


def random_walk_quotes(seed: int, symbol: str) -> Iterator[TapeQuote]:
    """The endless quotes of one symbol, the same for the same seed; their time is 0."""
    source = random.Random(f"{seed}/{symbol}")
    cents = source.randrange(1_000, 50_000)
    while True:
        cents = max(100, cents + source.randrange(-5, 6))
        bid, ask = cents / 100, (cents + source.randrange(1, 4)) / 100
        yield TapeQuote(0, symbol, bid, 100 * source.randrange(1, 50), ask, 100 * source.randrange(1, 50))
