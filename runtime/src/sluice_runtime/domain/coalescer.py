"""The newest tick of every symbol, and whose turn it is to be written.

Memory is bounded by the number of symbols, whatever the stream or the sink does. Fair: a symbol keeps its place in the
line when a newer tick overtakes its older one, so none waits longer than one round of all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from .market import Tick

# A timer that fires a little early must not cost a symbol a whole round.
_TOLERANCE_SECONDS = 0.001


class Coalescer:
    """Not thread-safe, and needs not be: it is fed and emptied on one event loop, between awaits."""

    def __init__(self) -> None:
        self.received = 0  # ticks of wanted symbols
        self.coalesced = 0  # ticks overtaken by a newer one before they were written
        self.out_of_order = 0  # ticks dropped, older than one already seen
        self.unwanted = 0  # ticks dropped, of a symbol that is not (or no longer) wanted
        self.last: Tick | None = None
        self._wanted: frozenset[str] = frozenset()
        self._line: dict[str, Tick] = {}
        self._newest: dict[str, datetime] = {}
        self._taken_at: dict[str, float] = {}

    def __len__(self) -> int:
        """Symbols that wait to be written."""
        return len(self._line)

    def want(self, symbols: frozenset[str]) -> None:
        """Sets the symbols to keep. Of any other, nothing is remembered and nothing more is accepted."""
        self._wanted = symbols
        for symbol in (self._line.keys() | self._newest.keys() | self._taken_at.keys()) - symbols:
            self._line.pop(symbol, None)
            self._newest.pop(symbol, None)
            self._taken_at.pop(symbol, None)

    def accept(self, ticks: Iterable[Tick], horizon: datetime) -> None:
        """Takes in one frame's ticks.

        A tick later than `horizon` (now, and a few seconds of skew) is written but does not move the symbol's clock:
        one bad stamp would else silence the symbol until real time catches up.
        """
        newest, line = self._newest, self._line
        for tick in ticks:
            symbol, ts = tick.symbol, tick.ts
            if symbol not in self._wanted:
                self.unwanted += 1
                continue
            if symbol in newest and ts < newest[symbol]:
                self.out_of_order += 1
                continue
            if ts <= horizon:
                newest[symbol] = ts
            self.received += 1
            if symbol in line:
                self.coalesced += 1
            line[symbol] = tick  # a key that is already there keeps its place
            self.last = tick

    def take(self, count: int, at: float, interval: float) -> list[Tick]:
        """At most `count` ticks whose symbol was last taken at least `interval` seconds before `at`, in line order.

        `at` is the scheduled time of the flush, not the time at which it came to run: a late timer must not add up.
        """
        due: list[Tick] = []
        for symbol, tick in self._line.items():
            if len(due) >= count:
                break
            if at - self._taken_at.get(symbol, float("-inf")) >= interval - _TOLERANCE_SECONDS:
                due.append(tick)
        for tick in due:
            del self._line[tick.symbol]
            self._taken_at[tick.symbol] = at
        return due

    def put_back(self, ticks: Sequence[Tick]) -> None:
        """Returns ticks that could not be written to the head of the line, unless a newer one has come since."""
        line = {tick.symbol: tick for tick in ticks if tick.symbol in self._wanted and not self._is_overtaken(tick)}
        for symbol, tick in self._line.items():
            if symbol in line:
                self.coalesced += 1
            line[symbol] = tick
        self._line = line
        self.release(ticks)

    def append(self, ticks: Iterable[Tick]) -> None:
        """Puts ticks that were taken before at the end of the line, unless a newer one waits there."""
        for tick in ticks:
            if tick.symbol in self._wanted and not self._is_overtaken(tick):
                self._line.setdefault(tick.symbol, tick)

    def release(self, ticks: Iterable[Tick]) -> None:
        """Ticks that were taken have not been written: the next one of their symbols is due at once."""
        for tick in ticks:
            self._taken_at.pop(tick.symbol, None)

    def drop(self) -> int:
        """Forgets what waits to be written. Returns how many symbols that were."""
        dropped = len(self._line)
        self._line.clear()
        return dropped

    def _is_overtaken(self, tick: Tick) -> bool:
        newest = self._newest.get(tick.symbol)
        return newest is not None and tick.ts < newest
