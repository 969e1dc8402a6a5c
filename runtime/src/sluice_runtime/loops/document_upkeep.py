"""The writes other than quotes: the status of quote documents, bars, and the deletion of removed symbols."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from sluice_contract.documents import QuoteState

from ..domain.desired import Desired
from ..domain.market import Bar, to_live_bar
from ..domain.token_bucket import TokenBucket
from .document_store import DocumentStore
from .document_writes import DocumentWrites, WriteRequest
from .flusher_parts import FlusherParts
from .publisher import Publisher, quote_document

UPKEEP = "documents"

# Status changes have their own token bucket: a busy market never delays them, and they delay quotes only briefly.
_TRANSITIONS_PER_SECOND = 20.0
_TRANSITIONS_AT_ONCE = 100
_DELETED_AT_ONCE = 100


class DocumentUpkeep:
    """Starts the writes of statuses and bars, and the deletions of documents of removed symbols.

    Callers make one call at a time. What could not be written is written by a later call.
    """

    def __init__(self, store: DocumentStore, parts: FlusherParts, publisher: Publisher) -> None:
        self._sink = store.sink
        self._origin = store.origin
        self._market = parts.market
        self._removed_symbols = parts.removed_symbols
        self._budget = store.write_budget
        self._publisher = publisher
        self._bucket = TokenBucket(_TRANSITIONS_PER_SECOND, _TRANSITIONS_AT_ONCE, asyncio.get_running_loop().time())
        self._documents = parts.documents
        self._removed: set[str] = set()
        self._desired: Desired | None = None
        self._written_bars: dict[str, Bar] = {}  # the last one of each symbol

    def apply_desired(self, desired: Desired, writes: DocumentWrites) -> None:
        """Apply a new desired state.

        Documents of removed symbols are deleted by later writes, and held ticks are queued when a dry run ends.
        """
        before, self._desired = self._desired, desired
        if before is None or desired is before:
            return
        # Documents of symbols that were removed and are declared again may still exist, with any status.
        self._documents.mark_status_sending(self._removed & desired.declared)
        # Include symbols added and removed between two flushes or during one: they may have a document too.
        removed = (before.declared | self._documents.symbols) - desired.declared
        self._removed |= removed
        writes.forget(name for symbol in removed for name in (quote_document(symbol), _bar_document(symbol)))
        self._documents.retain_only(desired.declared)
        self._written_bars = {name: bar for name, bar in self._written_bars.items() if name in desired.declared}
        if before.dry_run:
            self._publisher.enqueue_held_ticks()

    def hold_all_bars_for_rewrite(self) -> None:
        """Make the next writes write the last bar of each symbol once more."""
        self._market.last_values.restore_bars(self._written_bars.values())

    def start_due_writes(self, writes: DocumentWrites, at: float, room_for_bars: int) -> int:
        """Start the writes of statuses and of at most `room_for_bars` bars, and the deletions, that are due.

        Return the number of bars. Does nothing in a dry run.
        """
        if self._desired is None or self._desired.dry_run:
            return 0
        self._start_statuses(self._desired, writes, at)
        bar_count = self._start_bars(writes, at, room_for_bars)
        self._start_deletions(self._desired, writes)
        return bar_count

    def _start_statuses(self, desired: Desired, writes: DocumentWrites, at: float) -> None:
        room = self._budget.room_for_transitions
        for state, symbols in self._pending_status_changes(desired, writes).items():
            due = symbols[: min(room, self._bucket.available_tokens(at))]
            room -= len(due)
            self._bucket.spend_tokens(len(due))
            by_document = {quote_document(symbol): symbol for symbol in due}
            for documents in writes.group(by_document):
                writes.start(self._status_request(documents, [by_document[each] for each in documents], state, at))

    def _status_request(
        self, documents: Sequence[str], symbols: Sequence[str], state: QuoteState, at: float
    ) -> WriteRequest:
        self._documents.mark_status_sending(symbols)

        async def send() -> None:
            missing = await self._sink.set_status_of_existing_quotes(symbols, state)
            self._documents.mark_status_written(symbols, state)
            await self._publisher.write_missing_documents(missing, state, at)

        return WriteRequest(documents, send, lambda: self._documents.mark_status_sending(symbols), UPKEEP)

    def _start_bars(self, writes: DocumentWrites, at: float, room: int) -> int:
        """Start to write the bars that are due, at most `room` and as many as the token bucket for statuses allows."""
        bars = {_bar_document(bar.symbol): bar for bar in self._market.last_values.bars.values()}
        due = [document for document in bars if not writes.is_blocked(document)]
        due = due[: min(room, self._bucket.available_tokens(at))]
        self._bucket.spend_tokens(len(due))
        for documents in writes.group(due):
            writes.start(self._bar_request(documents, [bars[each] for each in documents]))
        return len(due)

    def _bar_request(self, documents: Sequence[str], bars: Sequence[Bar]) -> WriteRequest:
        async def send() -> None:
            await self._sink.write_bars([to_live_bar(bar, self._origin) for bar in bars])
            self._market.last_values.remove_written_bars(bars)
            self._written_bars.update({bar.symbol: bar for bar in bars})

        return WriteRequest(documents, send, lambda: None, UPKEEP)

    def _start_deletions(self, desired: Desired, writes: DocumentWrites) -> None:
        """Start to delete the documents of removed symbols, at most 100 at a time."""
        self._removed = (self._removed | self._removed_symbols.take_inherited()) - desired.declared
        self._removed_symbols.forget_deleted(desired.declared)
        free = [symbol for symbol in sorted(self._removed) if not _is_deletion_blocked(symbol, writes)]
        by_document = {quote_document(symbol): symbol for symbol in free[:_DELETED_AT_ONCE]}
        for documents in writes.group(by_document):
            writes.start(self._deletion_request([by_document[each] for each in documents]))

    def _deletion_request(self, symbols: Sequence[str]) -> WriteRequest:
        async def send() -> None:
            await self._sink.delete_own_quotes_and_bars(symbols)
            self._removed.difference_update(symbols)
            self._removed_symbols.record_deleted(symbols)

        # One name for the two documents of a symbol, which are deleted together.
        return WriteRequest([quote_document(symbol) for symbol in symbols], send, lambda: None, UPKEEP)

    def _pending_status_changes(self, desired: Desired, writes: DocumentWrites) -> dict[QuoteState, list[str]]:
        """Return the symbols whose documents need a new status, by that status.

        Symbols with a queued quote are left out: writing the quote makes the document live. So are documents that must
        not be written now.
        """
        market, not_live = self._market, self._documents.symbols_not_live()
        found: defaultdict[QuoteState, list[str]] = defaultdict(list)
        for symbol in sorted((market.quote_states.symbols_not_live | desired.paused | not_live) & desired.declared):
            if writes.is_blocked(quote_document(symbol)):
                continue
            state = "paused" if symbol in desired.paused else market.quote_states.state_of_document(symbol)
            if state != "live":
                if self._documents.known_status(symbol) != state:
                    found[state].append(symbol)
            elif symbol in not_live and not market.coalescer.is_queued(symbol):
                found[state].append(symbol)
        return found


def _bar_document(symbol: str) -> str:
    return f"live_bars/{symbol}"


def _is_deletion_blocked(symbol: str, writes: DocumentWrites) -> bool:
    return writes.is_blocked(quote_document(symbol)) or writes.is_blocked(_bar_document(symbol))
