"""Writes quote documents: changed quotes, and refreshes of unchanged ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

import msgspec

from sluice_contract.documents import LiveQuote, QuoteState

from ..domain.counters import Counters, increment
from ..domain.market import Tick
from ..domain.published_documents import PublishedDocuments, QuoteContent, refresh_seconds
from ..domain.sampling import LogSampler
from .document_store import DocumentStore
from .document_writes import DocumentWrites, WriteRequest
from .flusher_parts import FlusherParts
from .write_log import WriteLog

_log = logging.getLogger(__name__)

QUOTES = "quotes"


def rewrite_version(documents: PublishedDocuments, counters: Counters) -> tuple[int, int]:
    """Return a value whose change means that all documents must be written once more.

    It changes with each reload and with each new connection to the provider.
    """
    return documents.rewrite_requests, counters.live_transitions


def quote_document(symbol: str) -> str:
    """Return the name of a quote document in `DocumentWrites`."""
    return f"live_quotes/{symbol}"


class Publisher:
    """Starts the writes of quote documents.

    A tick whose write fails is queued again, so that a later flush writes the newest value of its document.
    """

    def __init__(self, store: DocumentStore, parts: FlusherParts, writes: DocumentWrites, write_log: WriteLog) -> None:
        self._store = store
        self._desired = parts.desired
        self._write_budget = store.write_budget
        self._coalescer = parts.market.coalescer
        self._last_values = parts.market.last_values
        self._quote_states = parts.market.quote_states
        self._activity = parts.market.activity
        self._now = parts.instruments.now
        self._counters = parts.instruments.counters
        self._latencies = parts.instruments.measurements.quotes
        self._writes = writes
        self._write_log = write_log
        self._documents = parts.documents
        self._seq = 0
        self._sampler = LogSampler(1.0)

    def is_blocked(self, symbol: str) -> bool:
        """Return True if the quote document of a symbol must not be written now."""
        return self._writes.is_blocked(quote_document(symbol))

    def hold_all_for_rewrite(self) -> None:
        """Make the next refresh write all quote documents once more."""
        self._documents.hold_all_for_rewrite()

    def enqueue_refreshes_and_price_changes(self, at: float) -> None:
        """Queue the ticks of documents that need a write without a new quote: a refresh, or another price.

        Does nothing in a dry run.
        """
        if self._desired.value.dry_run:
            return
        coalescer, documents = self._coalescer, self._documents
        documents.prices.observe_waiting_ticks(coalescer.waiting_ticks(), at)
        coalescer.enqueue_unless_outdated(documents.take_ticks_due_for_refresh(at, self._refresh_seconds))
        changed = documents.ticks_with_changed_price(self._last_values.last_trade, self._is_halted, at)
        coalescer.enqueue_unless_outdated(changed)

    def enqueue_held_ticks(self) -> None:
        """Queue all ticks that were held for a refresh. Does nothing in a dry run."""
        if not self._desired.value.dry_run:
            self._coalescer.enqueue_unless_outdated(self._documents.take_ticks_due_for_refresh(float("inf"), 0.0))

    def start_writing_changed_ticks(self, ticks: Sequence[Tick], at: float) -> int:
        """Start to write the ticks that change their document, and return their number. The others wait for a refresh.

        In a dry run, nothing is written: all ticks are logged and held, and their number is returned.
        """
        if self._desired.value.dry_run:
            return self._hold_for_dry_run(ticks, at)
        contents = [self._content_to_write(tick, at) for tick in ticks]
        refresh_after = self._refresh_seconds  # computed once: it depends on all symbols of the job
        changed = [each for each in contents if self._documents.needs_write(each, at, refresh_after)]
        if len(changed) < len(ticks):
            self._hold_unchanged(ticks, {each.quote.symbol for each in changed})
        self._start_writing(changed, at)
        return len(changed)

    def start_writing_all_ticks(self, ticks: Sequence[Tick], at: float) -> None:
        """Start to write all of `ticks`, even those that do not change their document. In a dry run, only hold them."""
        if self._desired.value.dry_run:
            self._hold_for_dry_run(ticks, at)
        else:
            self._start_writing([self._content_to_write(tick, at) for tick in ticks], at)

    async def write_missing_documents(self, symbols: Iterable[str], status: QuoteState, at: float) -> None:
        """Write the whole documents of `symbols` with `status`, as far as this process knows their content.

        They are missing although this process wrote them: another client has deleted them.

        Raises:
            SinkError: the write failed.
        """
        newest, waiting = self._documents.newest_tick, self._coalescer.waiting_tick
        known = [tick for symbol in symbols if (tick := waiting(symbol) or newest(symbol)) is not None]
        contents = [msgspec.structs.replace(self._content_to_write(tick, at), status=status) for tick in known]
        if contents:
            await self._store.sink.write_quotes(self._to_live_quotes(contents))
            self._record_written(contents, at)

    def _start_writing(self, contents: Sequence[QuoteContent], at: float) -> None:
        by_document = {quote_document(each.quote.symbol): each for each in contents}
        for documents in self._writes.group(by_document):
            self._writes.start(self._request(documents, [by_document[each] for each in documents], at))

    def _request(self, documents: Sequence[str], contents: Sequence[QuoteContent], at: float) -> WriteRequest:
        """Return the request that writes these contents, as of now. After a failure, their quotes are queued again."""
        quotes = self._to_live_quotes(contents)

        async def send() -> None:
            await self._store.sink.write_quotes(quotes)
            self._record_written(contents, at)

        def undo() -> None:
            # After any failure, including cancellation, the newest value must still be written.
            self._documents.mark_content_unknown(each.symbol for each in quotes)
            self._coalescer.requeue_at_head([each.quote for each in contents])

        return WriteRequest(documents, send, undo, QUOTES)

    def _to_live_quotes(self, contents: Sequence[QuoteContent]) -> list[LiveQuote]:
        """Return the documents with these contents, to be sent now."""
        written_at = self._now()
        quotes = []
        for content in contents:
            self._seq += 1
            quotes.append(content.to_live_quote(self._store.origin, self._seq, written_at))
        now = asyncio.get_running_loop().time()
        limit = self._activity.event_clock.latest_plausible_snapshot_time(now)
        self._documents.mark_contents_sending(contents, limit)
        return quotes

    def _record_written(self, contents: Sequence[QuoteContent], at: float) -> None:
        declared = self._desired.value.declared  # a symbol may have been removed in the meantime
        self._documents.mark_contents_written((each for each in contents if each.quote.symbol in declared), at)
        self._store.health.record_quote_writes(len(contents))
        self._latencies.record_writes((each.quote for each in contents), self._now())
        for each in contents:
            self._log_if_sampled(each.quote, at, "wrote a quote")

    def _log_if_sampled(self, tick: Tick, at: float, message: str) -> None:
        """Log one quote per second and symbol. If all received quotes are logged, these lines would be duplicates."""
        if self._write_log.one_line_per_document or not self._sampler.admit_once_per_period(tick.symbol, at):
            return
        quote = tick.to_quote()
        fields = {"event_type": "quote", "symbol": quote.symbol, "bid": quote.bid, "ask": quote.ask, "at": quote.ts}
        _log.info(message, extra=fields)

    def _hold_for_dry_run(self, ticks: Sequence[Tick], at: float) -> int:
        """Log what would be written, in the commits of a real run, and hold it until the dry run ends."""
        for tick in ticks:
            self._documents.hold_for_refresh(tick)
            self._log_if_sampled(tick, at, "would write a quote")
        increment(self._counters.suppressed, "dry_run", len(ticks))
        symbol_of = {quote_document(tick.symbol): tick.symbol for tick in ticks}
        for documents in self._writes.group(symbol_of):
            self._write_log.record_dry_run("quotes", [symbol_of[each] for each in documents])
        return len(ticks)

    def _hold_unchanged(self, ticks: Sequence[Tick], changed_symbols: set[str]) -> None:
        unchanged = [tick for tick in ticks if tick.symbol not in changed_symbols]
        for tick in unchanged:
            self._documents.hold_for_refresh(tick)
        self._coalescer.waive_interval(unchanged)
        increment(self._counters.suppressed, "unchanged", len(unchanged))

    def _content_to_write(self, tick: Tick, at: float) -> QuoteContent:
        trade = self._last_values.last_trade(tick.symbol)
        status = self._quote_states.state_of_document(tick.symbol)
        return self._documents.content_to_write(tick.to_quote(), trade, status, at)

    def _is_halted(self, symbol: str) -> bool:
        return self._quote_states.is_halted(symbol)

    @property
    def _refresh_seconds(self) -> float:
        return refresh_seconds(self._write_budget.effective_interval_seconds)
