"""The gaps of this process: of the whole stream and of paused symbols, and those not yet written to Firestore."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from sluice_contract.gap_documents import GapRepair
from sluice_contract.status import GapCause, StreamGap, StreamStatus

from .desired import Desired, is_unread
from .gaps import Gaps, OpenGap, inherited_gaps
from .market import Tick

# Gaps that wait to be written while Firestore is away. The status keeps the last 10 in any case.
_MOST_WAITING = 100


class ClosedGap(msgspec.Struct, frozen=True, kw_only=True):
    """A gap that has ended. `symbols` are the symbols whose data is missing: all of the job if `is_of_job` is True.

    Data may be missing since `last_message_at`, which is before the start of the gap: a connection that fails can lose
    what was sent before the failure was noticed.
    """

    gap: StreamGap
    last_message_at: datetime
    symbols: tuple[str, ...]
    is_of_job: bool
    repair: GapRepair

    @classmethod
    def of_job(cls, gap: StreamGap, symbols: Iterable[str], last_message_at: datetime | None = None) -> ClosedGap:
        """Return a gap of all of the job's symbols, for which nothing was fetched."""
        names = tuple(sorted(symbols))
        repair = GapRepair(open_symbols=len(names))
        return cls(gap=gap, last_message_at=last_message_at or gap.from_, symbols=names, is_of_job=True, repair=repair)

    @property
    def key(self) -> tuple[datetime, tuple[str, ...]]:
        """The identity of the gap within its job."""
        return self.gap.from_, () if self.is_of_job else self.symbols


class GapLedger:
    """Records when gaps open and close, and holds closed gaps until they are written.

    A pause of the whole job is a gap of all its symbols; a pause of single symbols is a gap of these symbols. A symbol
    that was paused before this process started counts as paused since `started_at`,
    unless an earlier time is inherited.
    """

    def __init__(self, started_at: datetime) -> None:
        self._gaps = Gaps()
        self._started_at = started_at
        self._live_since: datetime | None = None
        self._last_message_at: datetime | None = None  # before the open gap
        self._paused_since: dict[str, datetime] = {}
        self._waiting: dict[tuple[datetime, tuple[str, ...]], ClosedGap] = {}
        self._to_repair: deque[ClosedGap] = deque(maxlen=_MOST_WAITING)
        self._is_repair_expected = False
        self._to_publish: deque[ClosedGap] | None = None  # None: nothing takes them
        self._dropped_count = 0  # gaps that will not be written, because too many waited
        self._inherited: tuple[StreamGap, ...] = ()
        self._streamed: frozenset[str] | None = None  # declared symbols that were not always paused

    @property
    def closed_gaps(self) -> tuple[StreamGap, ...]:
        """The last 10 closed gaps of the stream, oldest first."""
        return self._gaps.closed

    @property
    def open_gap(self) -> OpenGap | None:
        """The gap of the stream that lasts; None if the stream is live or never was."""
        return self._gaps.open_gap

    @property
    def inherited_gaps(self) -> tuple[StreamGap, ...]:
        """The gaps that the previous process may not have written, until `mark_inherited_written` is called."""
        return self._inherited

    @property
    def is_repair_expected(self) -> bool:
        """Return True if another loop fetches the data of gaps."""
        return self._is_repair_expected

    def inherit(self, predecessor: StreamStatus) -> None:
        """Take over the gaps that the previous process of the job reported."""
        self._gaps = inherited_gaps(predecessor, self._started_at)
        self._inherited = self._gaps.closed

    def begin_gap(
        self, at: datetime, cause: GapCause, arrived_at: datetime | None = None, last_tick: Tick | None = None
    ) -> None:
        """Record that the stream ended at `at`. Does nothing if a gap is already open.

        `arrived_at` is when the last message arrived, and `last_tick` the last quote. What was sent after that quote
        may be lost, although the message arrived later by this clock.
        """
        if self._gaps.open_gap is None:
            sent = [each for each in (arrived_at, last_tick.ts if last_tick else None) if each is not None]
            # A message from before the stream was live belongs to an earlier connection.
            live = [self._live_since] if self._live_since is not None else []
            self._last_message_at = min(at, max([min(sent), *live])) if sent else max(live, default=at)
        self._gaps = self._gaps.with_open_gap(at, cause)

    def set_cause(self, cause: GapCause) -> None:
        """Set the cause of the open gap. Does nothing if no gap is open."""
        self._gaps = self._gaps.with_cause_of_open_gap(cause)

    def end_gap(self, at: datetime, symbols: Iterable[str]) -> StreamGap | None:
        """Record that the stream is live again. `symbols` are the symbols that it streams.

        Return the gap that has ended; None if there was none.
        """
        before, self._gaps = self._gaps, self._gaps.with_gap_closed(at)
        ended = self._gaps.closed[-1] if self._gaps is not before else None
        if ended is not None:
            self._add(ClosedGap.of_job(ended, symbols, self._last_message_at))
        self._live_since, self._last_message_at = at, None
        return ended

    def follow_pauses(self, desired: Desired, at: datetime) -> None:
        """Record that the job or some of its symbols are paused.

        The gap of a symbol lasts until `end_symbol_gaps` names it. Does nothing while the pauses have not been read.
        """
        if is_unread(desired.pause):
            return
        if desired.pause is not None:
            self.set_cause("pause")
        self._follow_paused_symbols(desired.paused, desired.declared, at)

    def end_symbol_gaps(self, streamed: frozenset[str], at: datetime) -> None:
        """Record that these symbols are streamed. Symbols that were paused at one time share one gap."""
        ended: dict[datetime, list[str]] = {}
        for symbol in sorted(self._paused_since.keys() & streamed):
            ended.setdefault(self._paused_since.pop(symbol), []).append(symbol)
        for since, symbols in ended.items():
            gap = StreamGap(from_=since, to=at, cause="pause")
            repair = GapRepair(open_symbols=len(symbols))
            names = tuple(symbols)
            self._add(ClosedGap(gap=gap, last_message_at=since, symbols=names, is_of_job=False, repair=repair))

    def inherit_pause_starts(self, starts: Mapping[str, datetime]) -> None:
        """Take over since when symbols are paused, from what an earlier process recorded."""
        for symbol, since in starts.items():
            if symbol in self._paused_since:
                self._paused_since[symbol] = min(since, self._paused_since[symbol])

    def paused_since(self, symbol: str) -> datetime | None:
        """Return since when the symbol is paused; None if it is not, or if it was never streamed before."""
        return self._paused_since.get(symbol)

    def waiting(self, count: int) -> list[ClosedGap]:
        """Return up to `count` gaps that wait to be written, oldest first."""
        return list(self._waiting.values())[:count]

    def mark_written(self, gaps: Iterable[ClosedGap]) -> None:
        """Remove gaps that have been written, except those that have changed since."""
        for each in gaps:
            if self._waiting.get(each.key) is each:
                del self._waiting[each.key]

    def mark_inherited_written(self) -> None:
        """Record that the inherited gaps have documents."""
        self._inherited = ()

    def take_dropped_count(self) -> int:
        """Return the number of gaps that will not be written, because too many waited, since the last call."""
        count, self._dropped_count = self._dropped_count, 0
        return count

    def expect_repair(self) -> None:
        """Record that a loop fetches the data of gaps."""
        self._is_repair_expected = True

    def expect_publication(self) -> None:
        """Record that closed gaps are also published by `take_gaps_to_publish`."""
        self._to_publish = deque(maxlen=_MOST_WAITING)

    def take_gaps_to_publish(self) -> list[ClosedGap]:
        """Remove the gaps that have closed, or whose data was fetched, since the last call, and return them."""
        found = list(self._to_publish or ())
        if self._to_publish:
            self._to_publish.clear()
        return found

    def take_gap_to_repair(self, ended_by: datetime) -> ClosedGap | None:
        """Remove the oldest gap whose data was not fetched yet, and return it; None if it ended after `ended_by`."""
        if not self._to_repair or self._to_repair[0].gap.to > ended_by:
            return None
        return self._to_repair.popleft()

    def record_repair(self, closed: ClosedGap, repair: GapRepair) -> None:
        """Record what was fetched for a gap, and queue the gap to be written again."""
        self._queue(msgspec.structs.replace(closed, repair=repair))

    def _follow_paused_symbols(self, paused: frozenset[str], declared: frozenset[str], at: datetime) -> None:
        since = self._started_at if self._streamed is None else at
        # A symbol that was paused since it was added was never streamed, so nothing of it is missing.
        streamed = declared if self._streamed is None else (self._streamed | (declared - paused)) & declared
        for symbol in paused & streamed:
            self._paused_since.setdefault(symbol, since)
        for symbol in self._paused_since.keys() - declared:
            del self._paused_since[symbol]
        self._streamed = streamed

    def _add(self, closed: ClosedGap) -> None:
        self._queue(closed)
        self._to_repair.append(closed)

    def _queue(self, closed: ClosedGap) -> None:
        self._waiting[closed.key] = closed
        if self._to_publish is not None:
            self._to_publish.append(closed)
        if len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._dropped_count += 1
