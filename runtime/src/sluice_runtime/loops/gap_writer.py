"""Writes the documents of closed gaps, within the rate of the records and the daily budget."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sluice_contract.gap_documents import GAP_RETENTION, IngestGap

from ..aio.latest_value import LatestValue
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError
from ..domain.gap_ledger import ClosedGap, GapLedger
from ..domain.market import DocumentOrigin
from ..domain.token_bucket import TokenBucket
from ..state.instruments import Instruments
from .document_store import DocumentStore

_log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_BATCH = 20


class GapWriter:
    """Writes closed gaps, one write at a time. They wait while Firestore is away, and never delay a stop."""

    def __init__(
        self,
        store: DocumentStore,
        desired: LatestValue[Desired],
        gaps: GapLedger,
        bucket: TokenBucket,
        instruments: Instruments,
    ) -> None:
        """`bucket` limits the rate of these documents together with the records."""
        self._store = store
        self._desired = desired
        self._gaps = gaps
        self._now = instruments.now
        self._counters = instruments.counters
        self._bucket = bucket

    async def run(self) -> None:
        """Write waiting gaps every second, until cancelled."""
        while True:
            desired, wait = self._desired.value, _CHECK_SECONDS
            try:
                must_wait = self._store.ownership.writes_must_wait
                if desired.generation > 0 and not desired.dry_run and not must_wait:
                    await self._write_inherited()
                    await self._write_waiting()
                self._store.health.record_result("gaps", None)
            except SinkError as error:
                increment(self._counters.errors, "ingest_gaps")
                self._store.health.record_result("gaps", error.message)
                wait = max(_RETRY_SECONDS, error.retry_after)
            self._log_dropped()
            await asyncio.sleep(wait)

    def _log_dropped(self) -> None:
        dropped = self._gaps.take_dropped_count()
        if dropped and not self._desired.value.dry_run:
            increment(self._counters.errors, "ingest_gaps_dropped", dropped)
            _log.warning(
                "too many gaps wait for Firestore; the %d oldest are not written", dropped, extra={"event_type": "gap"}
            )

    async def _write_inherited(self) -> None:
        """Write the gaps of the previous process that have no document: it may have exited before the write.

        Expired gaps are left out: Firestore has deleted their documents.
        """
        ledger, symbols, now = self._gaps, self._desired.value.declared, self._now()
        kept = [gap for gap in ledger.inherited_gaps if gap.to + GAP_RETENTION > now]
        if len(kept) > self._store.write_budget.room_for_transitions:
            return
        if inherited := [self._document(ClosedGap.of_job(gap, symbols)) for gap in kept]:
            await self._store.sink.write_gaps(inherited, replace=False)
            self._bucket.spend_tokens(len(inherited))
        ledger.mark_inherited_written()

    async def _write_waiting(self) -> None:
        ledger, at = self._gaps, asyncio.get_running_loop().time()
        room = min(self._bucket.available_tokens(at), self._store.write_budget.room_for_transitions)
        while room > 0 and (closed := ledger.waiting(min(room, _BATCH))):
            await self._store.sink.write_gaps([self._document(each) for each in closed], replace=True)
            ledger.mark_written(closed)
            self._log_and_count(closed)
            self._bucket.spend_tokens(len(closed))
            room -= len(closed)

    def _log_and_count(self, closed: Sequence[ClosedGap]) -> None:
        for each in closed:
            gap, repair = each.gap, each.repair
            seconds = (gap.to - gap.from_).total_seconds()
            if not self._gaps.is_repair_expected:
                increment(self._counters.gap_repairs, "open_symbols", repair.open_symbols)
            _log.info(
                "wrote a gap of %.1f s since %s (%s): %d trades and %d bars fetched, %d of %d symbols remain open",
                *(seconds, gap.from_.isoformat(timespec="seconds"), gap.cause),
                *(repair.trades, repair.bars, repair.open_symbols, len(each.symbols)),
                extra={"event_type": "gap"},
            )

    def _document(self, closed: ClosedGap) -> IngestGap:
        return gap_document(closed, self._store.origin)


def gap_document(closed: ClosedGap, origin: DocumentOrigin) -> IngestGap:
    """Return the document of a gap, written by the process of `origin`."""
    gap = closed.gap
    return IngestGap(
        job=origin.job,
        from_=gap.from_,
        to=gap.to,
        cause=gap.cause,
        symbols=None if closed.is_of_job else list(closed.symbols),
        repair=closed.repair,
        session_id=origin.session_id,
    )
