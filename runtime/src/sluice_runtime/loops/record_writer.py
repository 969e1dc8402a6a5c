"""Writes the ingest_state records with their own token bucket, so that quotes never wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from sluice_contract.documents import IngestState

from ..domain.batches import batches
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError
from ..domain.symbol_records import IngestStateRecords
from ..domain.token_bucket import TokenBucket
from ..ports import Sink
from .document_writes import PACED_RETRY_SECONDS, DocumentWrites, WriteRequest
from .journal import Journal
from .publisher import rewrite_version
from .waiting import run_with_timeout

_RECORDS = "records"
_CHECK_SECONDS = 1.0
_WAIT_SECONDS = 3.0  # longer than a request takes
_RETRY_SECONDS = 5.0
_BATCH = 100
_BURST = 100  # symbols that can be paused or removed at once without waiting
# Shares of the quotes' write rate, in addition to it. A process finds the documents that another one left through
# these records, so first records are written as fast as the documents; a refresh can wait.
_CHANGES_SHARE, _REFRESH_SHARE = 1.0, 0.1


class RecordWriter:
    """Writes due ingest_state records, each record at most once at a time."""

    def __init__(self, sink: Sink, journal: Journal) -> None:
        self._sink = sink
        self._journal = journal
        self._writes = DocumentWrites(
            lambda _: None, lambda: journal.sink_health.failing_since("heartbeat") is not None
        )
        self.bucket = TokenBucket(1.0, _BURST, asyncio.get_running_loop().time())
        self._records: IngestStateRecords | None = None
        self._rewrite_version = rewrite_version(journal)

    async def run(self) -> None:
        """Write due records every second and on each change of the desired state, until cancelled."""
        try:
            while True:
                desired, version = self._journal.desired.value, self._journal.desired.version
                try:
                    must_wait = self._journal.ownership.writes_must_wait
                    if desired.generation > 0 and not desired.dry_run and not must_wait:
                        await self._write_due_records(desired)
                    self._journal.record_sink_result(_RECORDS, self._writes.failure_message)
                except SinkError as error:
                    if not error.is_withheld:
                        increment(self._journal.counters.errors, "ingest_state")
                    self._journal.record_sink_result(_RECORDS, error.message)
                    await asyncio.sleep(
                        PACED_RETRY_SECONDS if error.is_paced else max(_RETRY_SECONDS, error.retry_after)
                    )
                await run_with_timeout(_CHECK_SECONDS, self._journal.desired.wait_for_change(version))
        finally:
            await self._writes.cancel()

    async def _write_due_records(self, desired: Desired) -> None:
        """Write the records that are due, as many as the token bucket allows. The first call reads the stored ones."""
        if self._records is None:
            paused, own = await self._sink.symbols_recorded_as_paused(), await self._sink.recorded_symbols_of_job()
            self._journal.gaps.inherit_pause_starts(await self._sink.recorded_pause_starts(sorted(desired.paused)))
            self._records = IngestStateRecords(self._journal.identity.qualified_job_name, paused, own)
            self._journal.inherited |= own
        records, now, at = self._records, self._journal.now(), asyncio.get_running_loop().time()
        if (version := rewrite_version(self._journal)) != self._rewrite_version:
            self._rewrite_version = version
            records.mark_all_unwritten()
        records.update_from_desired(desired, self._rejected_symbols(), self._journal.deleted, now)
        share = _CHANGES_SHARE if records.has_unwritten_changes else _REFRESH_SHARE
        self.bucket.set_limits(max(1.0, desired.limits.writes_per_second * share), _BURST, at)
        room = self.bucket.available_tokens(at)
        due = records.due_records(self._last_times, at, now, room, lambda each: self._writes.is_blocked(_name(each)))
        self.bucket.spend_tokens(len(due))
        for some in batches(due, _BATCH):
            by_name = {_name(state.canonical_symbol): state for state in some}
            for names in self._writes.group(by_name):
                self._writes.start(self._request(names, [by_name[name] for name in names], records))
        await self._writes.wait(_WAIT_SECONDS)
        if error := self._writes.take_database_failure(_RECORDS):
            raise error

    def _request(
        self, names: Sequence[str], states: Sequence[IngestState], records: IngestStateRecords
    ) -> WriteRequest:
        async def send() -> None:
            await self._sink.merge_ingest_states([self._with_pause_start(each) for each in states])
            records.mark_written(states, asyncio.get_running_loop().time())
            self._journal.deleted -= {each.canonical_symbol for each in states if each.status == "removed"}

        return WriteRequest(names, send, lambda: None, _RECORDS)

    def _with_pause_start(self, state: IngestState) -> IngestState:
        """Return the record with the time since when its symbol is paused, which the next process reads."""
        since = self._journal.gaps.paused_since(state.canonical_symbol) if state.status == "paused" else None
        return msgspec.structs.replace(state, paused_since=since)

    def _rejected_symbols(self) -> list[str]:
        return [each.symbol for each in self._journal.snapshot().ledger.rejected]

    def _last_times(self, symbol: str) -> dict[str, datetime]:
        quote, trade = self._journal.coalescer.newest_tick_time(symbol), self._journal.last_values.last_trade(symbol)
        bar = self._journal.last_values.bar_times.get(symbol)
        found = {"quotes": quote, "trades": trade.ts if trade else None, "bars": bar}
        return {channel: ts for channel, ts in found.items() if ts is not None}


def _name(symbol: str) -> str:
    return f"ingest_state/{symbol}"
