"""The newest tick of every symbol, and whose turn it is to be written.

Memory is bounded by the number of symbols, whatever the stream or the sink does. Fair: a symbol keeps its place in the
line when a newer tick overtakes its older one, so none waits longer than one round of all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from .market import Tick

# A timer that fires a little early must not cost a symbol a whole round.
_TOLERANCE_SECONDS = 0.001

_NEVER = datetime.min.replace(tzinfo=UTC)
_NOT_TAKEN = float("-inf")


class _Known:
    """What is remembered of one wanted symbol. One record, and slots: each quote is looked up once."""

    __slots__ = ("future_stamp", "newest", "noticed", "taken_at", "tick")

    def __init__(self) -> None:
        self.newest = _NEVER  # event time
        self.future_stamp = _NEVER  # the last one that was ahead of all reason
        self.noticed = (_NEVER, _NEVER)  # both, when somebody last asked who was heard
        self.taken_at = _NOT_TAKEN  # monotonic seconds
        self.tick: Tick | None = None  # waits to be written

    @property
    def has_tick_since_last_check(self) -> bool:
        """Whether a tick has come since somebody last asked."""
        # By identity: each tick brings a stamp of its own, and the path that every tick takes stays short.
        return self.newest is not self.noticed[0] or self.future_stamp is not self.noticed[1]


class Coalescer:
    """Not thread-safe, and needs not be: it is fed and emptied on one event loop, between awaits."""

    def __init__(self) -> None:
        self.received = 0  # ticks of wanted symbols
        self.coalesced = 0  # ticks overtaken by a newer one before they were written
        self.out_of_order = 0  # ticks dropped, older than one already seen
        self.unwanted = 0  # ticks dropped, of a symbol that is not (or no longer) wanted
        self.last: Tick | None = None
        self._known: dict[str, _Known] = {}
        self._line: dict[str, _Known] = {}  # those with a tick, in order
        self._resting: dict[str, _Known] = {}  # not wanted now, but to be remembered: their ticks are in no line
        self._dropped: dict[str, Tick] = {}

    def __len__(self) -> int:
        """Symbols that wait to be written."""
        return len(self._line)

    def want(self, symbols: frozenset[str], remembered: frozenset[str] = frozenset()) -> None:
        """Sets the symbols to accept. Of any other, nothing waits any more.

        How far those of `remembered` have come is kept for when they are wanted again, and so is what waited: nothing
        older is then news, and what is newest is written.
        """
        before = self._known | self._resting
        returned = {symbol: known for symbol, known in self._resting.items() if symbol in symbols and known.tick}
        self._known = {symbol: before.get(symbol) or _Known() for symbol in symbols}
        self._resting = {symbol: before[symbol] for symbol in (remembered - symbols) & before.keys()}
        self._line = {symbol: known for symbol, known in self._line.items() if symbol in symbols} | returned
        kept = self._known.keys() | self._resting.keys()
        self._dropped = {symbol: tick for symbol, tick in self._dropped.items() if symbol in kept & before.keys()}

    def accept(self, ticks: Sequence[Tick], horizon: datetime) -> None:
        """Takes in ticks that came together.

        A tick later than `horizon` (now, and a few seconds of skew) is written but does not move the symbol's clock:
        one bad stamp would else silence the symbol until real time catches up.
        """
        # Every quote passes here: one look-up for each, and counting once for all.
        records, line = self._known, self._line
        waiting, refused, last = len(line), 0, self.last
        for tick in ticks:
            try:
                known = records[tick.symbol]
            except KeyError:
                self.unwanted += 1
                refused += 1
                continue
            ts = tick.ts
            if ts < known.newest:
                self.out_of_order += 1
                refused += 1
                continue
            if ts <= horizon:
                known.newest = ts
            else:
                known.future_stamp = ts
            if known.tick is None:
                line[tick.symbol] = known  # else it keeps its place
            known.tick = last = tick
        accepted = len(ticks) - refused
        self.received += accepted
        self.coalesced += accepted - (len(line) - waiting)
        self.last = last

    def learn(self, ticks: Iterable[Tick], horizon: datetime) -> int:
        """Takes in what did not come by the stream, where it is newer, and returns how many that were.

        Nobody was heard by it, and what is later than `horizon` is not believed.
        """
        learnt = 0
        for tick in ticks:
            known = self._known.get(tick.symbol)
            if known is None or not known.newest < tick.ts <= horizon:
                continue
            was_noticed = known.newest is known.noticed[0]
            self.accept((tick,), horizon)
            if was_noticed:
                known.noticed = (known.newest, known.noticed[1])
            learnt += 1
        return learnt

    def heard(self) -> frozenset[str]:
        """The symbols of which a tick was accepted since the last call."""
        found = []
        for symbol, known in self._known.items():
            if known.has_tick_since_last_check:
                known.noticed = (known.newest, known.future_stamp)
                found.append(symbol)
        return frozenset(found)

    def was_heard(self, symbol: str) -> bool:
        """Whether a tick of a wanted symbol was accepted since somebody last asked who was heard."""
        known = self._known.get(symbol)
        return known is not None and known.has_tick_since_last_check

    def waits(self, symbol: str) -> bool:
        """Whether a tick of this symbol waits to be written."""
        return symbol in self._line

    def newest(self, symbol: str) -> datetime | None:
        """The event time of the newest tick of a wanted symbol; None if there was none."""
        known = self._known.get(symbol)
        return known.newest if known is not None and known.newest > _NEVER else None

    def take(self, count: int, at: float, interval: float) -> list[Tick]:
        """At most `count` ticks whose symbol was last taken at least `interval` seconds before `at`, in line order.

        `at` is the scheduled time of the flush, not the time at which it came to run: a late timer must not add up.
        """
        due: list[Tick] = []
        for known in self._line.values():
            if len(due) >= count:
                break
            if known.tick is not None and at - known.taken_at >= interval - _TOLERANCE_SECONDS:
                due.append(known.tick)
        for tick in due:
            known = self._line.pop(tick.symbol)
            known.tick = None
            known.taken_at = at
        return due

    def put_back(self, ticks: Sequence[Tick]) -> None:
        """Returns ticks that could not be written to the head of the line, unless a newer one has come since."""
        line: dict[str, _Known] = {}
        for tick, known in self._current(ticks):
            if known.tick is None:
                known.tick = tick
            else:
                self.coalesced += 1
            if tick.symbol in self._known:
                line[tick.symbol] = known
        self._line = line | self._line
        self.release(ticks)

    def append(self, ticks: Iterable[Tick]) -> None:
        """Puts ticks that were taken before at the end of the line, unless a newer one waits there."""
        for tick, known in self._current(ticks):
            if known.tick is None:
                known.tick = tick
                if tick.symbol in self._known:
                    self._line[tick.symbol] = known

    def release(self, ticks: Iterable[Tick]) -> None:
        """Ticks that were taken have not been written: the next one of their symbols is due at once."""
        for tick in ticks:
            if known := self._known.get(tick.symbol):
                known.taken_at = _NOT_TAKEN

    def drop(self) -> int:
        """Nothing waits to be written any more, until `recover`. Returns of how many symbols something did."""
        dropped = len(self._line)
        for symbol, known in self._line.items():
            if known.tick is not None:
                self._dropped[symbol], known.tick = known.tick, None
        self._line.clear()
        return dropped

    def recover(self) -> None:
        """Puts what was dropped back into the line, unless something newer has come."""
        dropped, self._dropped = self._dropped, {}
        self.append(dropped.values())

    def _current(self, ticks: Iterable[Tick]) -> Iterable[tuple[Tick, _Known]]:
        """Those whose symbol is wanted or rests, and of which no later one has been seen."""
        for tick in ticks:
            known = self._known.get(tick.symbol) or self._resting.get(tick.symbol)
            if known is not None and tick.ts >= known.newest:
                yield tick, known
