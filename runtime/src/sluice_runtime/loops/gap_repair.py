"""Fetches the trades and bars of closed gaps into the tape. Quotes are never fetched."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from sluice_contract.gap_documents import GapRepair

from ..aio.latest_value import wait_for_any_change
from ..aio.waiting import run_until_first_completes
from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.failure import StreamError
from ..domain.gap_ledger import ClosedGap, GapLedger
from ..domain.market_history import HistoryPage, HistoryRequest, requests_for_gap
from ..history_ports import GapTape, HistoryError, MarketHistory
from .stream_parts import StreamParts

_log = logging.getLogger(__name__)
_GAP = {"event_type": "gap"}

_CHECK_SECONDS = 1.0
# The provider's history may lack the last seconds. A request that comes too early would not show what is missing.
_SETTLE_SECONDS = 5.0
# A plan allows 200 requests per minute, which snapshots and the preflight also use.
_REQUEST_SECONDS = 0.5
_ATTEMPTS = 6  # for one page, over about two minutes
_MOST_PAGES = 500  # for one gap: five million trades


class GapRepairer:
    """Repairs one gap at a time while the stream is live. A pause or a stop interrupts it at once."""

    def __init__(
        self,
        history: MarketHistory,
        tape: GapTape,
        parts: StreamParts,
        gaps: GapLedger,
        create_backoff: Callable[[], Backoff],
    ) -> None:
        self._history = history
        self._tape = tape
        self._desired = parts.desired
        self._stream = parts.stream
        self._instruments = parts.instruments
        self._gaps = gaps
        self._create_backoff = create_backoff
        gaps.expect_repair()

    async def run(self) -> None:
        """Repair each closed gap, until cancelled."""
        while True:
            if closed := self._gaps.take_gap_to_repair(
                ended_by=self._instruments.now() - timedelta(seconds=_SETTLE_SECONDS)
            ):
                repair = _GapInRepair(closed)
                while repair.is_unfinished:
                    await self._wait_until_streaming(is_streaming=True)
                    await run_until_first_completes(
                        self._fetch_all(repair), self._wait_until_streaming(is_streaming=False)
                    )
                self._report(repair)
            await asyncio.sleep(_CHECK_SECONDS)

    async def _fetch_all(self, repair: _GapInRepair) -> None:
        """Fetch all remaining pages of a gap, and write each to the tape. A request that keeps failing stays open."""
        backoff, failures = self._create_backoff(), 0
        while repair.is_unfinished:
            try:
                page = await self._history.fetch_page(repair.remaining[0], repair.next_page)
            except (HistoryError, StreamError) as error:
                failures += 1
                if failures >= _ATTEMPTS or (isinstance(error, HistoryError) and error.is_final):
                    repair.leave_first_open(str(error))
                    failures = 0
                await asyncio.sleep(backoff.next_delay(at_least=_REQUEST_SECONDS))
                continue
            failures = 0
            backoff.reset()
            # No await between here and the next request: an interrupted repair continues with the page after this one.
            self._tape.add_trades(page.trades)
            self._tape.add_bars(page.bars)
            repair.record_page(page)
            await asyncio.sleep(_REQUEST_SECONDS)

    def _report(self, repair: _GapInRepair) -> None:
        """Log, count and queue the result of a repair."""
        self._tape.flush()
        result, gap = repair.result, repair.closed.gap
        counts = self._instruments.counters.gap_repairs
        increment(counts, "trades", result.trades)
        increment(counts, "bars", result.bars)
        increment(counts, "open_symbols", result.open_symbols)
        self._gaps.record_repair(repair.closed, result)
        problem = f": {repair.problem}" if repair.problem else ""
        _log.log(
            logging.WARNING if result.open_symbols else logging.INFO,
            "fetched %d trades and %d bars of the gap since %s; %d of %d symbols remain open%s",
            *(result.trades, result.bars, gap.from_.isoformat(timespec="seconds"), result.open_symbols),
            *(len(repair.closed.symbols), problem),
            extra=_GAP,
        )

    async def _wait_until_streaming(self, *, is_streaming: bool) -> None:
        """Wait until the stream is live and no pause is requested, or until this is no longer so."""
        desired, transitions = self._desired, self._instruments.transitions
        while (self._stream.state == "Live" and desired.value.pause is None) != is_streaming:
            await wait_for_any_change((transitions, transitions.version), (desired, desired.version))


class _GapInRepair:
    """The state of one repair, from which an interrupted repair continues."""

    def __init__(self, closed: ClosedGap) -> None:
        self.closed = closed
        self.remaining: deque[HistoryRequest] = deque(
            requests_for_gap(closed.symbols, closed.last_message_at, closed.gap.to)
        )
        self.next_page: str | None = None
        self.problem = ""
        self._pages = self._trades = self._bars = 0
        self._open: set[str] = set()

    @property
    def is_unfinished(self) -> bool:
        """Return True while there is something to fetch."""
        return bool(self.remaining)

    @property
    def result(self) -> GapRepair:
        """What was fetched, and the number of symbols that stay open."""
        return GapRepair(trades=self._trades, bars=self._bars, open_symbols=len(self._open))

    def record_page(self, page: HistoryPage) -> None:
        """Count a page that is on the tape, and go on to the next one."""
        self._pages += 1
        self._trades += len(page.trades)
        self._bars += len(page.bars)
        self.next_page = page.next_page
        if page.next_page is None:
            self.remaining.popleft()
        elif self._pages >= _MOST_PAGES:
            while self.remaining:
                self.leave_first_open(f"the gap has more than {_MOST_PAGES} pages of data")

    def leave_first_open(self, problem: str) -> None:
        """Give up the first remaining request, whose symbols stay open."""
        self._open.update(self.remaining.popleft().symbols)
        self.next_page, self.problem = None, problem
