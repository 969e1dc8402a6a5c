"""Conflation: the newest tick of each symbol, and the queue of symbols to write.

Memory is bounded by the number of symbols, whatever the stream or the sink does. The queue is fair: a symbol keeps its
place when a newer tick replaces its older one, so no symbol waits longer than one round of all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from .market import Tick

# A timer that fires a little early must not cost a symbol a whole round.
_TOLERANCE_SECONDS = 0.001

_NEVER = datetime.min.replace(tzinfo=UTC)
_NOT_TAKEN = float("-inf")


class _SymbolState:
    """The state of one wanted symbol. A single record with slots, so that each quote needs one lookup."""

    __slots__ = ("future_stamp", "newest", "noticed", "taken_at", "tick")

    def __init__(self) -> None:
        self.newest = _NEVER  # event time
        self.future_stamp = _NEVER  # the last timestamp that was too far in the future
        self.noticed = (_NEVER, _NEVER)  # newest and future_stamp at the last call of heard()
        self.taken_at = _NOT_TAKEN  # monotonic seconds
        self.tick: Tick | None = None  # the tick to be written

    @property
    def has_tick_since_last_check(self) -> bool:
        """Return True if a tick has arrived since the last call of `Coalescer.heard`."""
        # Compared by identity: each tick has its own timestamp object, and this keeps the hot path short.
        return self.newest is not self.noticed[0] or self.future_stamp is not self.noticed[1]


class Coalescer:
    """Holds the newest tick of each wanted symbol. Not thread-safe: it is used on one event loop, between awaits."""

    def __init__(self) -> None:
        self.received = 0  # ticks of wanted symbols
        self.coalesced = 0  # ticks replaced by a newer one before they were written
        self.out_of_order = 0  # ticks dropped because a newer one has been seen
        self.unwanted = 0  # ticks dropped because their symbol is not wanted
        self.last: Tick | None = None
        self._known: dict[str, _SymbolState] = {}
        self._line: dict[str, _SymbolState] = {}  # the queue: symbols with a tick to be written, in order
        self._resting: dict[str, _SymbolState] = {}  # remembered but not wanted now: their ticks are not queued
        self._dropped: dict[str, Tick] = {}

    def __len__(self) -> int:
        """Return the number of symbols that wait to be written."""
        return len(self._line)

    def set_wanted_symbols(self, symbols: frozenset[str], remembered: frozenset[str] = frozenset()) -> None:
        """Set the symbols to accept, and remove all others from the queue.

        For symbols in `remembered`, the newest event time and a waiting tick are kept until they are wanted again: no
        older tick is then accepted, and the newest one is written.
        """
        before = self._known | self._resting
        returned = {symbol: known for symbol, known in self._resting.items() if symbol in symbols and known.tick}
        self._known = {symbol: before.get(symbol) or _SymbolState() for symbol in symbols}
        self._resting = {symbol: before[symbol] for symbol in (remembered - symbols) & before.keys()}
        self._line = {symbol: known for symbol, known in self._line.items() if symbol in symbols} | returned
        kept = self._known.keys() | self._resting.keys()
        self._dropped = {symbol: tick for symbol, tick in self._dropped.items() if symbol in kept & before.keys()}

    def accept(self, ticks: Sequence[Tick], horizon: datetime) -> None:
        """Accept one batch of ticks.

        A tick later than `horizon` (now plus a few seconds of skew) is written but does not advance the symbol's
        clock. Otherwise, one bad timestamp would silence the symbol until real time catches up.
        """
        # Hot path: one lookup per quote, and one update of the counters per batch.
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
                line[tick.symbol] = known  # otherwise it keeps its place
            known.tick = last = tick
        accepted = len(ticks) - refused
        self.received += accepted
        self.coalesced += accepted - (len(line) - waiting)
        self.last = last

    def accept_snapshot(self, ticks: Iterable[Tick], horizon: datetime) -> int:
        """Accept ticks from a snapshot if they are newer than the known ones. Return how many were.

        They do not count as ticks of the stream for freshness. Ticks later than `horizon` are ignored.
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

    def take_ticked_symbols(self) -> frozenset[str]:
        """Return the symbols with a tick since the last call, and mark them as checked."""
        found = []
        for symbol, known in self._known.items():
            if known.has_tick_since_last_check:
                known.noticed = (known.newest, known.future_stamp)
                found.append(symbol)
        return frozenset(found)

    def has_tick_since_last_check(self, symbol: str) -> bool:
        """Return True if a tick of a wanted symbol was accepted since the last call of `heard`."""
        known = self._known.get(symbol)
        return known is not None and known.has_tick_since_last_check

    def is_queued(self, symbol: str) -> bool:
        """Return True if a tick of this symbol waits to be written."""
        return symbol in self._line

    def newest_tick_time(self, symbol: str) -> datetime | None:
        """Return the event time of the newest tick of a wanted symbol; None if there was none."""
        known = self._known.get(symbol)
        return known.newest if known is not None and known.newest > _NEVER else None

    def take_due(self, count: int, at: float, interval: float) -> list[Tick]:
        """Take up to `count` ticks whose symbol was last taken at least `interval` seconds before `at`, in queue order.

        `at` is the scheduled time of the flush, not the time at which it runs, so that late timers do not add up.
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

    def requeue_at_head(self, ticks: Sequence[Tick]) -> None:
        """Put ticks that could not be written back at the head of the queue, unless a newer one has arrived."""
        line: dict[str, _SymbolState] = {}
        for tick, known in self._ticks_still_newest(ticks):
            if known.tick is None:
                known.tick = tick
            else:
                self.coalesced += 1
            if tick.symbol in self._known:
                line[tick.symbol] = known
        self._line = line | self._line
        self.waive_interval(ticks)

    def requeue_at_end(self, ticks: Iterable[Tick]) -> None:
        """Put ticks that were taken before at the end of the queue, unless a newer one waits."""
        for tick, known in self._ticks_still_newest(ticks):
            if known.tick is None:
                known.tick = tick
                if tick.symbol in self._known:
                    self._line[tick.symbol] = known

    def waive_interval(self, ticks: Iterable[Tick]) -> None:
        """Record that these ticks were taken but not written: the next tick of each symbol is due immediately."""
        for tick in ticks:
            if known := self._known.get(tick.symbol):
                known.taken_at = _NOT_TAKEN

    def drop_queue(self) -> int:
        """Empty the queue, and keep its ticks for `recover`. Return how many symbols were in it."""
        dropped = len(self._line)
        for symbol, known in self._line.items():
            if known.tick is not None:
                self._dropped[symbol], known.tick = known.tick, None
        self._line.clear()
        return dropped

    def restore_dropped(self) -> None:
        """Put dropped ticks back into the queue, unless a newer one has arrived."""
        dropped, self._dropped = self._dropped, {}
        self.requeue_at_end(dropped.values())

    def _ticks_still_newest(self, ticks: Iterable[Tick]) -> Iterable[tuple[Tick, _SymbolState]]:
        """Yield each tick of a symbol that is wanted, or may be wanted again, unless it is older than the last one."""
        for tick in ticks:
            known = self._known.get(tick.symbol) or self._resting.get(tick.symbol)
            if known is not None and tick.ts >= known.newest:
                yield tick, known
