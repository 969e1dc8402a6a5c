"""Writes quote documents: changed quotes, refreshes of unchanged ones, and changes of status."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from sluice_contract.documents import QuoteState

from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError
from ..domain.market import DocumentOrigin, Tick, to_live_bar
from ..domain.published_documents import PublishedDocuments, QuoteContent, refresh_seconds
from ..domain.sampling import LogSampler
from ..domain.token_bucket import TokenBucket
from ..ports import Sink
from .journal import SKEW, Journal

_log = logging.getLogger(__name__)

# Status changes have their own token bucket: a busy market never delays them, and they delay quotes only briefly.
_TRANSITIONS_PER_SECOND = 20.0
_TRANSITIONS_AT_ONCE = 100
_DELETED_AT_ONCE = 100


class Publisher:
    """Writes to the sink, one call at a time. A failed write is not lost: the next call finds it again."""

    def __init__(self, sink: Sink, journal: Journal, origin: DocumentOrigin) -> None:
        self._sink = sink
        self._journal = journal
        self._origin = origin
        self._reserve = TokenBucket(_TRANSITIONS_PER_SECOND, _TRANSITIONS_AT_ONCE, asyncio.get_running_loop().time())
        self._publications = PublishedDocuments()
        self._removed: set[str] = set()
        self._desired: Desired | None = None
        self._seq = 0
        self._sampler = LogSampler(1.0)

    def apply_desired(self, desired: Desired) -> None:
        """Apply a new desired state to documents that no quote will update again, such as those of removed symbols."""
        before, self._desired = self._desired, desired
        if before is None or desired is before:
            return
        self._publications.mark_status_sending(
            self._removed & desired.declared
        )  # their documents may still exist with any status
        # Include symbols added and removed between two flushes or during one: they may have a document too.
        self._removed |= (before.declared | self._publications.symbols) - desired.declared
        self._publications.retain_only(desired.declared)
        if before.dry_run:
            self.enqueue_all()

    def enqueue_due(self, at: float) -> None:
        """Queue ticks that are due without a new tick: refreshes, and prices changed by trades."""
        if self._journal.desired.value.dry_run:
            return
        coalescer = self._journal.coalescer
        coalescer.requeue_at_end(self._publications.take_due_refreshes(at, self._refresh_seconds))
        coalescer.requeue_at_end(self._publications.ticks_with_changed_price(self._journal.last_values.trades))

    def enqueue_all(self) -> None:
        """Queue every tick whose document does not have its time yet."""
        if not self._journal.desired.value.dry_run:
            self._journal.coalescer.requeue_at_end(self._publications.take_due_refreshes(float("inf"), 0.0))

    async def write_changed(self, ticks: Sequence[Tick], at: float) -> int:
        """Write the ticks that change their document and return their number. The others wait for their refresh."""
        if self._journal.desired.value.dry_run:
            return self._hold_for_dry_run(ticks)
        statements = [self._content_to_write(tick) for tick in ticks]
        changed = [each for each in statements if self._publications.needs_write(each, at, self._refresh_seconds)]
        if len(changed) < len(ticks):
            self._hold_unchanged(ticks, {each.quote.symbol for each in changed})
        if changed:
            await self._publish(changed, at)
        return len(changed)

    async def write_all(self, ticks: Sequence[Tick], at: float) -> None:
        """Write all of `ticks`, whether or not they change their document."""
        if self._journal.desired.value.dry_run:
            self._hold_for_dry_run(ticks)
        else:
            await self._publish([self._content_to_write(tick) for tick in ticks], at)

    async def write_all_but_quotes(self, at: float) -> None:
        """Update the status of documents, write bars, and delete the documents of removed symbols.

        Raises:
            SinkError: at least one of the three failed. The others were attempted too.
        """
        failures = []
        for part in (self._write_due_statuses, self._write_bars, self._delete_removed):
            desired = self._desired  # a drain may have set another desired state in the meantime
            if desired is None or desired.dry_run:
                break
            try:
                await part(desired, at)
            except SinkError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def _write_due_statuses(self, desired: Desired, at: float) -> None:
        for state, symbols in self._pending_status_changes(desired).items():
            if due := symbols[: self._reserve.available(at)]:
                self._publications.mark_status_sending(due)
                await self._sink.mark(due, state)
                self._publications.mark_status_written(due, state)
                self._reserve.spend(len(due))

    async def _delete_removed(self, desired: Desired, _: float) -> None:
        """Delete the documents of removed symbols, 100 at a time, so that quotes do not wait long."""
        journal = self._journal
        self._removed = (self._removed | journal.inherited) - desired.declared
        journal.inherited.clear()
        journal.deleted -= desired.declared
        if removed := sorted(self._removed)[:_DELETED_AT_ONCE]:
            await self._sink.delete(removed)
            self._removed.difference_update(removed)
            journal.deleted.update(removed)

    async def _write_bars(self, _: Desired, at: float) -> None:
        """Write bars from the reserve: one per symbol and minute. A newer bar of a symbol replaces a waiting one."""
        board = self._journal.last_values
        if due := list(board.bars.values())[: self._reserve.available(at)]:
            await self._sink.write_bars([to_live_bar(bar, self._origin) for bar in due])
            self._reserve.spend(len(due))
            board.remove_written_bars(due)

    async def _publish(self, statements: Sequence[QuoteContent], at: float) -> None:
        written_at = self._journal.now()
        documents = []
        for statement in statements:
            self._seq += 1
            documents.append(statement.to_live_quote(self._origin, self._seq, written_at))
        self._publications.mark_sending(statements, written_at + SKEW)
        try:
            await self._sink.write(documents)
        except BaseException:
            # After any failure, including cancellation, the newest value must still be written.
            self._publications.mark_unknown(each.symbol for each in documents)
            self._journal.coalescer.requeue_at_head([each.quote for each in statements])
            raise
        self._publications.mark_written(statements, at)
        self._journal.record_quote_writes(len(documents))
        _log.debug("wrote %d quotes", len(documents), extra={"event_type": "firestore_write"})
        for each in statements:
            self._log_sample(each, at)

    def _log_sample(self, said: QuoteContent, at: float) -> None:
        quote = said.quote
        if self._sampler.admit(quote.symbol, at):
            fields = {"event_type": "quote", "symbol": quote.symbol, "bid": quote.bid, "ask": quote.ask, "at": quote.ts}
            _log.info("wrote a quote", extra=fields)

    def _hold_for_dry_run(self, ticks: Sequence[Tick]) -> int:
        symbols = [tick.symbol for tick in ticks]
        for tick in ticks:
            self._publications.hold_for_refresh(tick)  # to be written when the dry run ends
        increment(self._journal.counters.suppressed, "dry_run", len(symbols))
        _log.info("would write %s", " ".join(symbols), extra={"event_type": "would_write", "symbols": symbols})
        return len(symbols)

    def _hold_unchanged(self, ticks: Sequence[Tick], changed: set[str]) -> None:
        unchanged = [tick for tick in ticks if tick.symbol not in changed]
        for tick in unchanged:
            self._publications.hold_for_refresh(tick)
        self._journal.coalescer.waive_interval(unchanged)
        increment(self._journal.counters.suppressed, "unchanged", len(unchanged))

    def _content_to_write(self, tick: Tick) -> QuoteContent:
        trade = self._journal.last_values.trades.get(tick.symbol)
        return self._publications.content_to_write(tick.to_quote(), trade, self._journal.quote_state(tick.symbol))

    def _pending_status_changes(self, desired: Desired) -> dict[QuoteState, list[str]]:
        """Return the documents whose status must change, by new status. A queued quote makes its document live."""
        journal, not_live = self._journal, self._publications.symbols_not_live()
        found: defaultdict[QuoteState, list[str]] = defaultdict(list)
        for symbol in sorted((journal.quote_states.keys() | desired.paused | not_live) & desired.declared):
            state = "paused" if symbol in desired.paused else journal.quote_state(symbol)
            if state != "live":
                if self._publications.known_status(symbol) != state:
                    found[state].append(symbol)
            elif symbol in not_live and not journal.coalescer.is_queued(symbol):
                found[state].append(symbol)
        return found

    @property
    def _refresh_seconds(self) -> float:
        return refresh_seconds(self._journal.desired.value.effective_interval_seconds)
