"""Writes the ingest_state records with their own token bucket, so that quotes never wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sluice_contract.documents import IngestState

from ..aio.latest_value import LatestValue
from ..aio.waiting import run_with_timeout
from ..domain.batches import batches
from ..domain.counters import increment
from ..domain.desired import Desired, is_unread
from ..domain.failure import SinkError
from ..domain.gap_ledger import GapLedger
from ..domain.published_documents import PublishedDocuments
from ..domain.symbol_records import IngestStateRecords
from ..domain.token_bucket import TokenBucket
from ..state.instruments import Instruments
from ..state.market_data import MarketData
from ..state.stream_state import StreamListener
from ..state.symbols import RemovedSymbols
from .document_store import DocumentStore
from .document_writes import PACED_RETRY_SECONDS, DocumentWrites, WriteRequest
from .publisher import rewrite_version

_RECORDS = "records"
_CHECK_SECONDS = 1.0
_WAIT_SECONDS = 3.0  # longer than a request takes
_RETRY_SECONDS = 5.0
_BATCH = 100
_BURST = 100  # symbols that can be paused or removed at once without waiting
# Shares of the quotes' write rate, in addition to it. A process finds the documents that another one left through
# these records, so first records are written as fast as the documents; a refresh can wait.
_CHANGES_SHARE, _REFRESH_SHARE = 1.0, 0.1


@dataclass(frozen=True, kw_only=True)
class RecordWriterParts:
    """The parts of the state that the record writer uses."""

    desired: LatestValue[Desired]
    market: MarketData
    stream: StreamListener
    gaps: GapLedger
    documents: PublishedDocuments
    removed_symbols: RemovedSymbols
    instruments: Instruments


class RecordWriter:
    """Writes due ingest_state records, each record at most once at a time."""

    def __init__(self, store: DocumentStore, parts: RecordWriterParts) -> None:
        self._store = store
        self._parts = parts
        self._writes = DocumentWrites(lambda _: None, lambda: store.health.failing_since("heartbeat") is not None)
        self.bucket = TokenBucket(1.0, _BURST, asyncio.get_running_loop().time())
        self._records: IngestStateRecords | None = None
        self._rewrite_version = rewrite_version(parts.documents, parts.instruments.counters)

    async def run(self) -> None:
        """Write due records every second and on each change of the desired state, until cancelled."""
        try:
            while True:
                desired, version = self._parts.desired.value, self._parts.desired.version
                try:
                    must_wait = self._store.ownership.writes_must_wait
                    is_known = desired.generation > 0 and not is_unread(desired.pause)  # which symbols are paused
                    if is_known and not desired.dry_run and not must_wait:
                        await self._write_due_records(desired)
                    self._store.health.record_result(_RECORDS, self._writes.failure_message)
                except SinkError as error:
                    if not error.is_withheld:
                        increment(self._parts.instruments.counters.errors, "ingest_state")
                    self._store.health.record_result(_RECORDS, error.message)
                    await asyncio.sleep(
                        PACED_RETRY_SECONDS if error.is_paced else max(_RETRY_SECONDS, error.retry_after)
                    )
                await run_with_timeout(_CHECK_SECONDS, self._parts.desired.wait_for_change(version))
        finally:
            await self._writes.cancel()

    async def _write_due_records(self, desired: Desired) -> None:
        """Write the records that are due, as many as the token bucket allows. The first call reads the stored ones."""
        if self._records is None:
            paused, own = (
                await self._store.sink.symbols_recorded_as_paused(),
                await self._store.sink.recorded_symbols_of_job(),
            )
            self._parts.gaps.inherit_pause_starts(await self._store.sink.recorded_pause_starts(sorted(desired.paused)))
            self._records = IngestStateRecords(self._store.origin.job, paused, own)
            self._parts.removed_symbols.add_inherited(own)
        records, now, at = self._records, self._parts.instruments.now(), asyncio.get_running_loop().time()
        if (
            version := rewrite_version(self._parts.documents, self._parts.instruments.counters)
        ) != self._rewrite_version:
            self._rewrite_version = version
            records.mark_all_unwritten()
        records.update_from_desired(desired, self._rejected_symbols(), self._parts.removed_symbols.deleted_symbols, now)
        room = self._available_tokens(desired, records.has_unwritten_changes, at)
        due = records.due_records(
            self._parts.market.last_event_times, at, now, room, lambda each: self._writes.is_blocked(_name(each))
        )
        self.bucket.spend_tokens(len(due))
        for some in batches(due, _BATCH):
            by_name = {_name(state.canonical_symbol): state for state in some}
            for names in self._writes.group(by_name):
                self._writes.start(self._request(names, [by_name[name] for name in names], records))
        await self._writes.wait(_WAIT_SECONDS)
        if error := self._writes.take_database_failure(_RECORDS):
            raise error

    def _available_tokens(self, desired: Desired, has_unwritten_changes: bool, at: float) -> int:
        """Return how many records can be written now, by the rate of the quotes and by the daily budget.

        With a budget, a refresh leaves half of the tokens for changes, which must not wait.
        """
        budget, share = self._store.write_budget, _CHANGES_SHARE if has_unwritten_changes else _REFRESH_SHARE
        rate, pace = max(1.0, desired.limits.writes_per_second * share), budget.documents_per_second
        self.bucket.set_limits(rate if pace is None else min(rate, pace * share), _BURST, at)
        tokens = self.bucket.available_tokens(at)
        if has_unwritten_changes:
            return min(tokens, budget.room_for_transitions)
        return min(tokens if pace is None else max(0, tokens - _BURST // 2), budget.room_for_data)

    def _request(
        self, names: Sequence[str], states: Sequence[IngestState], records: IngestStateRecords
    ) -> WriteRequest:
        async def send() -> None:
            await self._store.sink.merge_ingest_states([self._with_pause_start(each) for each in states])
            records.mark_written(states, asyncio.get_running_loop().time())
            self._parts.removed_symbols.forget_deleted(
                each.canonical_symbol for each in states if each.status == "removed"
            )

        return WriteRequest(names, send, lambda: None, _RECORDS)

    def _with_pause_start(self, state: IngestState) -> IngestState:
        """Return the record with the time since when its symbol is paused, which the next process reads."""
        since = self._parts.gaps.paused_since(state.canonical_symbol) if state.status == "paused" else None
        return msgspec.structs.replace(state, paused_since=since)

    def _rejected_symbols(self) -> list[str]:
        return [each.symbol for each in self._parts.stream.ledger.rejected]


def _name(symbol: str) -> str:
    return f"ingest_state/{symbol}"
