"""Conflation: the newest tick of each symbol, and the queue of symbols to write.

Memory is bounded by the number of symbols, whatever the stream or the sink does. The queue is fair: a symbol keeps its
place when a newer tick replaces its older one, so no symbol waits longer than one round of all the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from .market import Tick

# A timer that fires a little early must not cost a symbol a whole round.
_TOLERANCE_SECONDS = 0.001

_NEVER = datetime.min.replace(tzinfo=UTC)
_NOT_TAKEN = float("-inf")


class _SymbolState:
    """The state of one wanted symbol. It is one object with slots, so that each quote needs only one lookup."""

    __slots__ = ("checked", "newest", "taken_at", "tick")

    def __init__(self) -> None:
        self.newest = _NEVER  # event time
        self.checked = _NEVER  # `newest` at the last call of take_ticked_symbols()
        self.taken_at = _NOT_TAKEN  # monotonic seconds
        self.tick: Tick | None = None  # the tick to be written

    @property
    def has_tick_since_last_check(self) -> bool:
        """Return True if the symbol has ticked since the last call of `Coalescer.take_ticked_symbols`."""
        # Compared by identity: each tick has its own timestamp object, and this keeps the hot path short.
        return self.newest is not self.checked


class Coalescer:
    """Holds the newest tick of each wanted symbol. Not thread-safe: it is used on one event loop, between awaits."""

    def __init__(self) -> None:
        self.received = 0  # ticks of wanted symbols
        self.coalesced = 0  # ticks replaced by a newer one before they were written
        self.out_of_order = 0  # ticks dropped because a newer one has been seen
        self.unwanted = 0  # ticks dropped because their symbol is not wanted
        self.last: Tick | None = None
        self._horizon = datetime.max.replace(tzinfo=UTC)  # of the last batch
        self._wanted: dict[str, _SymbolState] = {}
        self._queue: dict[str, _SymbolState] = {}  # symbols with a tick to be written, in order
        self._remembered: dict[str, _SymbolState] = {}  # remembered but not wanted now: their ticks are not queued
        self._dropped: dict[str, Tick] = {}

    def __len__(self) -> int:
        """Return the number of symbols that wait to be written."""
        return len(self._queue)

    def set_wanted_symbols(self, symbols: frozenset[str], remembered: frozenset[str] = frozenset()) -> None:
        """Set the symbols whose ticks are accepted, and remove all other symbols from the queue.

        Symbols in `remembered` keep their newest event time and their queued tick while they are not wanted. When such
        a symbol is wanted again, its queued tick is written, and older ticks are not accepted.
        """
        before = self._wanted | self._remembered
        returned = {symbol: state for symbol, state in self._remembered.items() if symbol in symbols and state.tick}
        self._wanted = {symbol: before.get(symbol) or _SymbolState() for symbol in symbols}
        self._remembered = {symbol: before[symbol] for symbol in (remembered - symbols) & before.keys()}
        self._queue = {symbol: state for symbol, state in self._queue.items() if symbol in symbols} | returned
        kept = self._wanted.keys() | self._remembered.keys()
        self._dropped = {symbol: tick for symbol, tick in self._dropped.items() if symbol in kept & before.keys()}

    def queue_newest_ticks(self, ticks: Sequence[Tick], horizon: datetime) -> None:
        """Queue the newest tick of each symbol in one batch from the stream.

        `horizon` is the latest plausible event time at the provider. A tick that is older than the newest of its symbol
        is dropped, unless the newest is later than `horizon` and so has a wrong timestamp: then the older tick replaces
        it, because the ticks of the symbol would otherwise be dropped until that time.
        """
        # Hot path: one lookup per quote, and one update of the counters per batch.
        wanted, queue, self._horizon = self._wanted, self._queue, horizon
        waiting, refused, last = len(queue), 0, self.last
        for tick in ticks:
            try:
                state = wanted[tick.symbol]
            except KeyError:
                self.unwanted += 1
                refused += 1
                continue
            ts = tick.ts
            if ts < state.newest and (state.newest <= horizon or ts > horizon):
                self.out_of_order += 1
                refused += 1
                continue
            state.newest = ts
            if state.tick is None:
                queue[tick.symbol] = state  # otherwise it keeps its place
            state.tick = last = tick
        accepted = len(ticks) - refused
        self.received += accepted
        self.coalesced += accepted - (len(queue) - waiting)
        self.last = last

    def queue_snapshot_ticks(self, ticks: Iterable[Tick], horizon: datetime) -> int:
        """Queue the ticks of a snapshot that are newer than those from the stream, and return their number.

        Ticks of a snapshot do not make a symbol fresh. Ticks later than `horizon` are ignored.
        """
        accepted_count = 0
        for tick in ticks:
            state = self._wanted.get(tick.symbol)
            if state is None or tick.ts > horizon or tick.ts <= state.newest <= horizon:
                continue
            was_checked = not state.has_tick_since_last_check
            self.queue_newest_ticks((tick,), horizon)
            if was_checked:
                state.checked = state.newest
            accepted_count += 1
        return accepted_count

    def take_ticked_symbols(self) -> frozenset[str]:
        """Return the symbols that have ticked since the last call, and start a new observation."""
        found = []
        for symbol, state in self._wanted.items():
            if state.has_tick_since_last_check:
                state.checked = state.newest
                found.append(symbol)
        return frozenset(found)

    def has_tick_since_last_check(self, symbol: str) -> bool:
        """Return True if the symbol is wanted and has ticked since the last call of `take_ticked_symbols`."""
        state = self._wanted.get(symbol)
        return state is not None and state.has_tick_since_last_check

    def is_queued(self, symbol: str) -> bool:
        """Return True if a tick of this symbol is in the queue."""
        return symbol in self._queue

    def waiting_ticks(self) -> Iterator[Tick]:
        """Yield the tick of each symbol in the queue. Do not change the queue meanwhile."""
        return (state.tick for state in self._queue.values() if state.tick is not None)

    def waiting_tick(self, symbol: str) -> Tick | None:
        """Return the tick of a symbol that waits to be written, or that was dropped by a pause; None if none does."""
        state = self._wanted.get(symbol) or self._remembered.get(symbol)
        return (state.tick if state is not None else None) or self._dropped.get(symbol)

    def newest_tick_time(self, symbol: str) -> datetime | None:
        """Return the event time of the newest tick of a symbol.

        None if the symbol has no tick or is not wanted, or if the timestamp of its newest tick is wrong.
        """
        state = self._wanted.get(symbol)
        return state.newest if state is not None and _NEVER < state.newest <= self._horizon else None

    def take_due_ticks(
        self, count: int, at: float, interval: float, is_blocked: Callable[[str], bool] = lambda _: False
    ) -> list[Tick]:
        """Remove up to `count` due ticks from the head of the queue, and return them.

        A tick is due if the last tick of its symbol was taken at least `interval` seconds before `at`. Ticks of symbols
        for which `is_blocked` returns True keep their place.

        `at` is the scheduled time of the flush, not the time at which it runs, so that late timers do not add up.
        """
        due: list[Tick] = []
        for state in self._queue.values():
            if len(due) >= count:
                break
            tick = state.tick
            if tick is None or at - state.taken_at < interval - _TOLERANCE_SECONDS or is_blocked(tick.symbol):
                continue
            due.append(tick)
        for tick in due:
            state = self._queue.pop(tick.symbol)
            state.tick = None
            state.taken_at = at
        return due

    def requeue_at_head(self, ticks: Sequence[Tick]) -> None:
        """Put ticks that could not be written at the head of the queue, except where a newer tick has arrived.

        The next tick of each of these symbols is due immediately.
        """
        queue: dict[str, _SymbolState] = {}
        for tick, state in self._ticks_still_newest(ticks):
            if state.tick is None:
                state.tick = tick
            else:
                self.coalesced += 1
            if tick.symbol in self._wanted:
                queue[tick.symbol] = state
        self._queue = queue | self._queue
        self.waive_interval(ticks)

    def enqueue_unless_outdated(self, ticks: Iterable[Tick]) -> None:
        """Put ticks at the end of the queue, except where a tick is already queued or a newer one has been seen.

        The ticks were taken from the queue before, or are already written and must be written again.
        """
        for tick, state in self._ticks_still_newest(ticks):
            if state.tick is None:
                state.tick = tick
                if tick.symbol in self._wanted:
                    self._queue[tick.symbol] = state

    def waive_interval(self, ticks: Iterable[Tick]) -> None:
        """Make the next tick of these symbols due immediately, because the ticks that were taken were not written."""
        for tick in ticks:
            if state := self._wanted.get(tick.symbol):
                state.taken_at = _NOT_TAKEN

    def drop_queue(self) -> int:
        """Empty the queue, keep its ticks for `restore_dropped`, and return the number of symbols that were in it."""
        dropped = len(self._queue)
        for symbol, state in self._queue.items():
            if state.tick is not None:
                self._dropped[symbol], state.tick = state.tick, None
        self._queue.clear()
        return dropped

    def restore_dropped(self) -> None:
        """Put dropped ticks back into the queue, except where a newer tick has arrived."""
        dropped, self._dropped = self._dropped, {}
        self.enqueue_unless_outdated(dropped.values())

    def _ticks_still_newest(self, ticks: Iterable[Tick]) -> Iterable[tuple[Tick, _SymbolState]]:
        """Yield the ticks that are not older than the newest tick of their symbol, each with the state of the symbol.

        Symbols that are neither wanted nor remembered are skipped."""
        for tick in ticks:
            state = self._wanted.get(tick.symbol) or self._remembered.get(tick.symbol)
            if state is not None and tick.ts >= state.newest:
                yield tick, state
