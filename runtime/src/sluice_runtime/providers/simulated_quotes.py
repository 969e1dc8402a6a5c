"""Provider `synthetic`: a random walk for each symbol, reproducible by its seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sluice_contract.synthetic import SyntheticSettings

from ..domain.failure import StreamError
from ..domain.market import Halt, Quote
from ..ports import Listener
from .local import LocalConnection, SourceWithoutServer

# The shortest interval between batches: at higher rates, one timer per quote would use up the pod's CPU.
_LEAST_SECONDS = 0.02


class PriceWalk:
    """A random walk of one symbol's price. The n-th quote depends only on seed, symbol and n."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._symbol = symbol
        self._random = random.Random(f"{seed}:{symbol}")
        self._cents = self._random.randrange(1_000, 50_000)

    def next_quote(self, ts: datetime) -> Quote:
        """Return the next quote, with event time `ts`."""
        self._cents = max(100, self._cents + self._random.choice((-2, -1, -1, 0, 1, 1, 2)))
        spread = self._random.randrange(1, 5)
        return Quote(
            symbol=self._symbol,
            ts=ts,
            bid=self._cents / 100,
            ask=(self._cents + spread) / 100,
            bid_size=float(self._random.randrange(1, 50) * 100),
            ask_size=float(self._random.randrange(1, 50) * 100),
        )


class SyntheticSource(SourceWithoutServer):
    """The source of provider `synthetic`. Each symbol's random walk continues across pauses."""

    def __init__(self, settings: SyntheticSettings, now: Callable[[], datetime], name: str = "synthetic") -> None:
        self.name = name
        self._settings = settings
        self._now = now
        self._walks: dict[str, PriceWalk] = {}
        self._began_at: float | None = None

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[SyntheticConnection]:
        """Open a connection, which needs no server. It fails during a scripted gap."""
        listener.on_state("Connecting")
        if self._began_at is None:
            self._began_at = asyncio.get_running_loop().time()
        if "gap" in self.active_faults:
            raise StreamError("network", "the provider cannot be reached (a gap from spec.synthetic.faults)")
        try:
            yield SyntheticConnection(listener, self)
        finally:
            listener.on_socket_closed()

    async def wait_for_fix(self) -> None:
        """Never return: this source has no fatal failures."""
        await asyncio.Event().wait()

    def next_quotes(self, symbols: list[str]) -> list[Quote]:
        """Return the next quote of each of `symbols`."""
        ts = self._now()
        return [self._walk_of_symbol(symbol).next_quote(ts) for symbol in symbols]

    @property
    def quotes_per_second(self) -> int:
        """The declared rate, over all symbols together."""
        return self._settings.quotes_per_second

    @property
    def active_faults(self) -> frozenset[str]:
        """The kinds of scripted faults that are active now."""
        if not self._settings.faults or self._began_at is None:
            return frozenset()
        elapsed = asyncio.get_running_loop().time() - self._began_at
        return frozenset(
            each.kind
            for each in self._settings.faults
            if each.after_seconds <= elapsed < each.after_seconds + each.for_seconds
        )

    def make_halts(self, symbols: list[str], *, halted: bool) -> list[Halt]:
        """Return a trading halt of each symbol, or its resumption if `halted` is False."""
        ts, code = self._now(), "H" if halted else "T"
        return [Halt(symbol=each, ts=ts, halted=halted, code=code, reason="scripted") for each in symbols]

    def _walk_of_symbol(self, symbol: str) -> PriceWalk:
        if symbol not in self._walks:
            self._walks[symbol] = PriceWalk(self._settings.seed, symbol)
        return self._walks[symbol]


class SyntheticConnection(LocalConnection):
    """Streams quotes of the symbols in turn, at a steady rate."""

    def __init__(self, listener: Listener, source: SyntheticSource) -> None:
        super().__init__(listener)
        self._source = source
        self._is_halted = False

    async def run(self) -> None:
        """Stream quotes until cancelled.

        Raises:
            StreamError: a scripted gap begins.
        """
        loop = asyncio.get_running_loop()
        began, made, turn = loop.time(), 0, 0
        while True:
            await asyncio.sleep(max(_LEAST_SECONDS, 1 / self._source.quotes_per_second))
            owed = int((loop.time() - began) * self._source.quotes_per_second) - made
            made += owed
            symbols = sorted(self.symbols)
            if self._apply_faults_and_check_quotes_flow(symbols) and symbols and owed > 0:
                batch = [symbols[(turn + n) % len(symbols)] for n in range(owed)]
                turn = (turn + owed) % len(symbols)
                self.listener.on_ticks(self._source.next_quotes(batch))

    def _apply_faults_and_check_quotes_flow(self, symbols: list[str]) -> bool:
        """Apply the scripted faults: raise StreamError in a gap, and report the begin or end of a halt.

        Return True if no fault is active, so that quotes are streamed.
        """
        faults = self._source.active_faults
        if "gap" in faults:
            raise StreamError("upstreamClosed", "the connection is lost (a gap from spec.synthetic.faults)")
        if ("halt" in faults) != self._is_halted:
            self._is_halted = not self._is_halted
            self.listener.on_halts(self._source.make_halts(symbols, halted=self._is_halted))
        return not faults
