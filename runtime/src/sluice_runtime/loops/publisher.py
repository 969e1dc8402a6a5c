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
from ..domain.published_documents import QuoteContent, refresh_seconds
from ..domain.sampling import LogSampler
from ..domain.token_bucket import TokenBucket
from ..ports import Sink
from .journal import Journal

_log = logging.getLogger(__name__)

# Status changes have their own token bucket: a busy market never delays them, and they delay quotes only briefly.
_TRANSITIONS_PER_SECOND = 20.0
_TRANSITIONS_AT_ONCE = 100
_DELETED_AT_ONCE = 100


class Publisher:
    """Writes quote documents, their statuses and bars to the sink, and deletes documents of removed symbols.

    Callers make one call at a time. After a failed write, the next call writes the same documents again.
    """

    def __init__(self, sink: Sink, journal: Journal, origin: DocumentOrigin) -> None:
        self._sink = sink
        self._journal = journal
        self._origin = origin
        self._status_bucket = TokenBucket(
            _TRANSITIONS_PER_SECOND, _TRANSITIONS_AT_ONCE, asyncio.get_running_loop().time()
        )
        self._documents = journal.documents
        self._removed: set[str] = set()
        self._desired: Desired | None = None
        self._seq = 0
        self._sampler = LogSampler(1.0)

    def apply_desired(self, desired: Desired) -> None:
        """Apply a new desired state.

        Documents of removed symbols are deleted by later writes, and held ticks are queued when a dry run ends.
        """
        before, self._desired = self._desired, desired
        if before is None or desired is before:
            return
        # Documents of symbols that were removed and are declared again may still exist, with any status.
        self._documents.mark_status_sending(self._removed & desired.declared)
        # Include symbols added and removed between two flushes or during one: they may have a document too.
        self._removed |= (before.declared | self._documents.symbols) - desired.declared
        self._documents.retain_only(desired.declared)
        if before.dry_run:
            self.enqueue_held_ticks()

    def enqueue_refreshes_and_price_changes(self, at: float) -> None:
        """Queue the ticks of documents that need a write without a new quote: a refresh, or a new price from a trade.

        Does nothing in a dry run.
        """
        if self._journal.desired.value.dry_run:
            return
        coalescer = self._journal.coalescer
        coalescer.enqueue_unless_outdated(self._documents.take_ticks_due_for_refresh(at, self._refresh_seconds))
        coalescer.enqueue_unless_outdated(self._documents.ticks_with_changed_price(self._journal.last_values.trades))

    def enqueue_held_ticks(self) -> None:
        """Queue all ticks that were held for a refresh. Does nothing in a dry run."""
        if not self._journal.desired.value.dry_run:
            self._journal.coalescer.enqueue_unless_outdated(
                self._documents.take_ticks_due_for_refresh(float("inf"), 0.0)
            )

    async def write_changed_ticks(self, ticks: Sequence[Tick], at: float) -> int:
        """Write the ticks that change their document, and return their number. The others wait for the next refresh.

        In a dry run, nothing is written: all ticks are logged and held, and their number is returned.
        """
        if self._journal.desired.value.dry_run:
            return self._hold_for_dry_run(ticks)
        contents = [self._content_to_write(tick) for tick in ticks]
        changed = [each for each in contents if self._documents.needs_write(each, at, self._refresh_seconds)]
        if len(changed) < len(ticks):
            self._hold_unchanged(ticks, {each.quote.symbol for each in changed})
        if changed:
            await self._write_or_requeue(changed, at)
        return len(changed)

    async def write_all_ticks(self, ticks: Sequence[Tick], at: float) -> None:
        """Write all of `ticks`, even those that do not change their document. In a dry run, only log and hold them."""
        if self._journal.desired.value.dry_run:
            self._hold_for_dry_run(ticks)
        else:
            await self._write_or_requeue([self._content_to_write(tick) for tick in ticks], at)

    async def write_all_but_quotes(self, at: float) -> None:
        """Update the status of documents, write bars, and delete the documents of removed symbols.

        Raises:
            SinkError: at least one of the three failed. The others were attempted too.
        """
        failures = []
        for part in (self._write_due_statuses, self._write_due_bars, self._delete_documents_of_removed):
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
            if due := symbols[: self._status_bucket.available_tokens(at)]:
                self._documents.mark_status_sending(due)
                await self._sink.set_status_of_existing_quotes(due, state)
                self._documents.mark_status_written(due, state)
                self._status_bucket.spend_tokens(len(due))

    async def _delete_documents_of_removed(self, desired: Desired, _: float) -> None:
        """Delete the documents of removed symbols, 100 at a time, so that quotes do not wait long."""
        journal = self._journal
        self._removed = (self._removed | journal.inherited) - desired.declared
        journal.inherited.clear()
        journal.deleted -= desired.declared
        if removed := sorted(self._removed)[:_DELETED_AT_ONCE]:
            await self._sink.delete_own_quotes_and_bars(removed)
            self._removed.difference_update(removed)
            journal.deleted.update(removed)

    async def _write_due_bars(self, _: Desired, at: float) -> None:
        """Write the bars that are due, as many as the token bucket for statuses allows."""
        last_values = self._journal.last_values
        if due := list(last_values.bars.values())[: self._status_bucket.available_tokens(at)]:
            await self._sink.write_bars([to_live_bar(bar, self._origin) for bar in due])
            self._status_bucket.spend_tokens(len(due))
            last_values.remove_written_bars(due)

    async def _write_or_requeue(self, contents: Sequence[QuoteContent], at: float) -> None:
        """Write quote documents. If the write fails or is cancelled, put their quotes back into the queue and raise."""
        written_at = self._journal.now()
        documents = []
        for content in contents:
            self._seq += 1
            documents.append(content.to_live_quote(self._origin, self._seq, written_at))
        event_clock = self._journal.activity.event_clock
        self._documents.mark_contents_sending(contents, event_clock.latest_plausible_snapshot_time(at))
        try:
            await self._sink.write_quotes(documents)
        except BaseException:
            # After any failure, including cancellation, the newest value must still be written.
            self._documents.mark_content_unknown(each.symbol for each in documents)
            self._journal.coalescer.requeue_at_head([each.quote for each in contents])
            raise
        self._documents.mark_contents_written(contents, at)
        self._journal.record_quote_writes(len(documents))
        _log.debug("wrote %d quotes", len(documents), extra={"event_type": "firestore_write"})
        for each in contents:
            self._log_if_sampled(each, at)

    def _log_if_sampled(self, content: QuoteContent, at: float) -> None:
        quote = content.quote
        if self._sampler.admit_once_per_period(quote.symbol, at):
            fields = {"event_type": "quote", "symbol": quote.symbol, "bid": quote.bid, "ask": quote.ask, "at": quote.ts}
            _log.info("wrote a quote", extra=fields)

    def _hold_for_dry_run(self, ticks: Sequence[Tick]) -> int:
        symbols = [tick.symbol for tick in ticks]
        for tick in ticks:
            self._documents.hold_for_refresh(tick)  # to be written when the dry run ends
        increment(self._journal.counters.suppressed, "dry_run", len(symbols))
        _log.info("would write %s", " ".join(symbols), extra={"event_type": "would_write", "symbols": symbols})
        return len(symbols)

    def _hold_unchanged(self, ticks: Sequence[Tick], changed_symbols: set[str]) -> None:
        unchanged = [tick for tick in ticks if tick.symbol not in changed_symbols]
        for tick in unchanged:
            self._documents.hold_for_refresh(tick)
        self._journal.coalescer.waive_interval(unchanged)
        increment(self._journal.counters.suppressed, "unchanged", len(unchanged))

    def _content_to_write(self, tick: Tick) -> QuoteContent:
        trade = self._journal.last_values.trades.get(tick.symbol)
        return self._documents.content_to_write(
            tick.to_quote(), trade, self._journal.status_for_quote_document(tick.symbol)
        )

    def _pending_status_changes(self, desired: Desired) -> dict[QuoteState, list[str]]:
        """Return the symbols whose documents need a new status, by that status.

        Symbols with a queued quote are left out: writing the quote makes the document live.
        """
        journal, not_live = self._journal, self._documents.symbols_not_live()
        found: defaultdict[QuoteState, list[str]] = defaultdict(list)
        for symbol in sorted((journal.quote_states.keys() | desired.paused | not_live) & desired.declared):
            state = "paused" if symbol in desired.paused else journal.status_for_quote_document(symbol)
            if state != "live":
                if self._documents.known_status(symbol) != state:
                    found[state].append(symbol)
            elif symbol in not_live and not journal.coalescer.is_queued(symbol):
                found[state].append(symbol)
        return found

    @property
    def _refresh_seconds(self) -> float:
        return refresh_seconds(self._journal.desired.value.effective_interval_seconds)
