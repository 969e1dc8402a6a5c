"""Writes the ingest_state records with their own token bucket, so that quotes never wait for them."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from sluice_contract.documents import IngestState

from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError
from ..domain.symbol_records import IngestStateRecords
from ..domain.token_bucket import TokenBucket
from ..ports import Sink
from .journal import Journal
from .waiting import run_with_timeout

_CHECK_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_BATCH = 100
_BURST = 100  # symbols that can be paused or removed at once without waiting
# Shares of the quotes' write rate, in addition to it. A process finds the documents that another one left through
# these records, so first records are written as fast as the documents; a refresh can wait.
_CHANGES_SHARE, _REFRESH_SHARE = 1.0, 0.1


class RecordWriter:
    """Writes due ingest_state records, one write at a time."""

    def __init__(self, sink: Sink, journal: Journal) -> None:
        self._sink = sink
        self._journal = journal
        self.bucket = TokenBucket(1.0, _BURST, asyncio.get_running_loop().time())
        self._records: IngestStateRecords | None = None

    async def run(self) -> None:
        """Write due records every second and on each change of the desired state, until cancelled."""
        while True:
            desired, version = self._journal.desired.value, self._journal.desired.version
            try:
                if desired.generation > 0 and not desired.dry_run:
                    await self._write_due_records(desired)
                self._journal.record_sink_result("records", None)
            except SinkError as error:
                increment(self._journal.counters.errors, "ingest_state")
                self._journal.record_sink_result("records", error.message)
                await asyncio.sleep(max(_RETRY_SECONDS, error.retry_after))
            await run_with_timeout(_CHECK_SECONDS, self._journal.desired.wait_for_change(version))

    async def _write_due_records(self, desired: Desired) -> None:
        """Write the records that are due, as many as the token bucket allows. The first call reads the stored ones."""
        if self._records is None:
            paused, own = await self._sink.symbols_recorded_as_paused(), await self._sink.recorded_symbols_of_job()
            self._journal.gaps.inherit_pause_starts(await self._sink.recorded_pause_starts(sorted(desired.paused)))
            self._records = IngestStateRecords(self._journal.identity.qualified_job_name, paused, own)
            self._journal.inherited |= own
        now, at = self._journal.now(), asyncio.get_running_loop().time()
        self._records.update_from_desired(desired, self._rejected_symbols(), self._journal.deleted, now)
        share = _CHANGES_SHARE if self._records.has_unwritten_changes else _REFRESH_SHARE
        self.bucket.set_limits(max(1.0, desired.limits.writes_per_second * share), _BURST, at)
        room = self.bucket.available_tokens(at)
        while room > 0 and (states := self._records.due_records(self._last_times, at, now, min(room, _BATCH))):
            await self._sink.merge_ingest_states([self._with_pause_start(each) for each in states])
            self._records.mark_written(states, at)
            self._journal.deleted -= {each.canonical_symbol for each in states if each.status == "removed"}
            self.bucket.spend_tokens(len(states))
            room -= len(states)

    def _with_pause_start(self, state: IngestState) -> IngestState:
        """Return the record with the time since when its symbol is paused, which the next process reads."""
        since = self._journal.gaps.paused_since(state.canonical_symbol) if state.status == "paused" else None
        return msgspec.structs.replace(state, paused_since=since)

    def _rejected_symbols(self) -> list[str]:
        return [each.symbol for each in self._journal.snapshot().ledger.rejected]

    def _last_times(self, symbol: str) -> dict[str, datetime]:
        quote, trade = self._journal.coalescer.newest_tick_time(symbol), self._journal.last_values.trades.get(symbol)
        bar = self._journal.last_values.bar_times.get(symbol)
        found = {"quotes": quote, "trades": trade.ts if trade else None, "bars": bar}
        return {channel: ts for channel, ts in found.items() if ts is not None}
