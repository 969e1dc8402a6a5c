"""Writes the documents of closed gaps, within the budget of the records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sluice_contract.gap_documents import GAP_RETENTION, IngestGap

from ..domain.counters import increment
from ..domain.failure import SinkError
from ..domain.gap_ledger import ClosedGap
from ..domain.token_bucket import TokenBucket
from ..ports import Sink
from .journal import Journal

_log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_BATCH = 20


class GapWriter:
    """Writes closed gaps, one write at a time. They wait while Firestore is away, and never delay a stop."""

    def __init__(self, sink: Sink, journal: Journal, bucket: TokenBucket) -> None:
        """`bucket` is the budget that these documents share with the records."""
        self._sink = sink
        self._journal = journal
        self._bucket = bucket

    async def run(self) -> None:
        """Write waiting gaps every second, until cancelled."""
        while True:
            desired, wait = self._journal.desired.value, _CHECK_SECONDS
            try:
                must_wait = self._journal.ownership.writes_must_wait
                if desired.generation > 0 and not desired.dry_run and not must_wait:
                    await self._write_inherited()
                    await self._write_waiting()
                self._journal.record_sink_result("gaps", None)
            except SinkError as error:
                increment(self._journal.counters.errors, "ingest_gaps")
                self._journal.record_sink_result("gaps", error.message)
                wait = max(_RETRY_SECONDS, error.retry_after)
            self._log_dropped()
            await asyncio.sleep(wait)

    def _log_dropped(self) -> None:
        dropped, self._journal.gaps.dropped = self._journal.gaps.dropped, 0
        if dropped and not self._journal.desired.value.dry_run:
            increment(self._journal.counters.errors, "ingest_gaps_dropped", dropped)
            _log.warning(
                "too many gaps wait for Firestore; the %d oldest are not written", dropped, extra={"event_type": "gap"}
            )

    async def _write_inherited(self) -> None:
        """Write the gaps of the previous process that have no document: it may have exited before the write.

        Expired gaps are left out: Firestore has deleted their documents.
        """
        ledger, symbols, now = self._journal.gaps, self._journal.desired.value.declared, self._journal.now()
        kept = [gap for gap in ledger.inherited if gap.to + GAP_RETENTION > now]
        if inherited := [self._document(ClosedGap.of_job(gap, symbols)) for gap in kept]:
            await self._sink.write_gaps(inherited, replace=False)
            self._bucket.spend_tokens(len(inherited))
        ledger.inherited = ()

    async def _write_waiting(self) -> None:
        ledger, at = self._journal.gaps, asyncio.get_running_loop().time()
        room = self._bucket.available_tokens(at)
        while room > 0 and (closed := ledger.waiting(min(room, _BATCH))):
            await self._sink.write_gaps([self._document(each) for each in closed], replace=True)
            ledger.mark_written(closed)
            self._log_and_count(closed)
            self._bucket.spend_tokens(len(closed))
            room -= len(closed)

    def _log_and_count(self, closed: Sequence[ClosedGap]) -> None:
        for each in closed:
            gap, repair = each.gap, each.repair
            seconds = (gap.to - gap.from_).total_seconds()
            if not self._journal.gaps.expects_repair:
                increment(self._journal.counters.gap_repairs, "open_symbols", repair.open_symbols)
            _log.info(
                "wrote a gap of %.1f s since %s (%s): %d trades and %d bars fetched, %d of %d symbols remain open",
                *(seconds, gap.from_.isoformat(timespec="seconds"), gap.cause),
                *(repair.trades, repair.bars, repair.open_symbols, len(each.symbols)),
                extra={"event_type": "gap"},
            )

    def _document(self, closed: ClosedGap) -> IngestGap:
        who, gap = self._journal.identity, closed.gap
        return IngestGap(
            job=who.qualified_job_name,
            from_=gap.from_,
            to=gap.to,
            cause=gap.cause,
            symbols=None if closed.is_of_job else list(closed.symbols),
            repair=closed.repair,
            session_id=who.session_id,
        )
