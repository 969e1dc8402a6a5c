"""Moves ticks from the coalescer to the sink: on a schedule, within the token bucket, one flush at a time."""

from __future__ import annotations

import asyncio
import logging

from ..aio.waiting import run_until_first_completes, run_with_timeout
from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError
from ..state.write_gate import WriteGate
from .document_store import DocumentStore
from .document_upkeep import UPKEEP, DocumentUpkeep
from .document_writes import PACED_RETRY_SECONDS, DocumentWrites
from .flusher_parts import FlusherParts
from .publisher import QUOTES, Publisher, rewrite_version
from .write_log import WriteLog
from .write_rate import WriteRate

_log = logging.getLogger(__name__)

_UPKEEP_RETRY_SECONDS = 1.0
# A flush waits this long for its writes. Those that take longer go on while the next flushes write other documents.
_FLUSH_SECONDS = 0.5
BATCH = 100  # documents per request
DRAIN_SECONDS = 3.0  # pending writes get this long at a pause or shutdown; the rest is dropped
# While quotes and heartbeat both fail, the heartbeat is the probe: it goes first after an outage, and quotes follow
# immediately. If only the heartbeat is refused, quotes wait no longer than this.
_HEARTBEAT_FIRST_SECONDS = 60.0


class Flusher:
    """Writes due ticks on a schedule, one flush at a time.

    Two writes of one document are never in flight together, and a document that cannot be written delays no other.
    """

    def __init__(self, store: DocumentStore, parts: FlusherParts, backoff: Backoff, write_log: WriteLog) -> None:
        limits = parts.desired.value.limits
        self._writes = DocumentWrites(self._report_failing_documents, lambda: self._is_heartbeat_failing)
        self._publisher = Publisher(store, parts, self._writes, write_log)
        self._upkeep = DocumentUpkeep(store, parts, self._publisher)
        self._store = store
        self._health = store.health
        self._parts = parts
        self._coalescer = parts.market.coalescer
        self._counters = parts.instruments.counters
        self._backoff = backoff
        self._rate = WriteRate(limits, store.write_budget, asyncio.get_running_loop().time())
        self._lock = asyncio.Lock()
        self._gate = WriteGate()
        self._retry_at: float | None = None
        self._upkeep_at = 0.0
        self._upkeep_failure: str | None = None
        self._heartbeat_failed = False
        self._rewrite_version = rewrite_version(parts.documents, self._counters)

    async def run(self) -> None:
        """Flush on a fixed schedule, until cancelled. Flushes that were missed are not repeated."""
        try:
            await self._flush_forever()
        finally:
            await self._writes.cancel()

    async def _flush_forever(self) -> None:
        loop = asyncio.get_running_loop()
        scheduled = loop.time()
        while True:
            interval = self._parts.desired.value.limits.flush_interval_milliseconds / 1000
            scheduled = await self._wait_for_next_flush(max(scheduled + interval, loop.time() - interval))
            self._parts.process.record_loop_tick()
            # A connection with few quotes pauses its reading. The newest quote of a symbol may wait in its socket.
            await self._parts.connection.deliver_arrived_data()
            if (
                not self._gate.is_open
                or self._must_wait_for_ownership()
                or self._update_and_check_failure_wait(loop.time())
            ):
                continue
            async with self._lock:
                await run_until_first_completes(
                    self._write_due_unless_paused(scheduled), self._gate.wait_until_abandoned()
                )
                self._record_results(scheduled)

    async def _wait_for_next_flush(self, scheduled: float) -> float:
        """Wait for the scheduled time of the next flush, and return it.

        The first quote of the process is flushed immediately, and the schedule starts with it.
        """
        loop, transitions = asyncio.get_running_loop(), self._parts.instruments.transitions
        while self._coalescer.last is None:
            if not await run_with_timeout(scheduled - loop.time(), transitions.wait_for_change(transitions.version)):
                return scheduled
            if self._coalescer.last is not None:
                return min(scheduled, loop.time())
        await asyncio.sleep(scheduled - loop.time())
        return scheduled

    def reopen_and_requeue_dropped(self) -> None:
        """Allow writes again after `drain_and_close`.

        The ticks that it dropped are queued again, except where newer ones have arrived.
        """
        self._gate.apply("reopen")
        self._coalescer.restore_dropped()
        self._retry_at = None

    async def drain_and_close(self) -> None:
        """Write all pending quotes without throttling, for at most 3 s, and drop the rest. Then write nothing more.

        Writes stay blocked until `reopen_and_requeue_dropped`. If a call is cancelled, the next call completes it: a
        pod can be terminated while it pauses.
        """
        if self._gate.is_closed:
            return
        self._gate.apply("drain")
        self._apply_desired(self._parts.desired.value)  # include ticks that arrived after the flush in flight began
        if not await run_with_timeout(DRAIN_SECONDS, self._try_to_write_pending()):
            _log.warning(
                "Firestore did not accept the last quotes in time; dropping them",
                extra={"event_type": "firestore_write"},
            )
        self._gate.apply("abandon")
        async with self._lock:  # wait until a flush that is still in flight has been cancelled
            await self._writes.cancel()
        increment(self._counters.suppressed, "drained", self._coalescer.drop_queue())
        self._gate.apply("close")

    async def _try_to_write_pending(self) -> None:
        """Write all queued and held ticks, and at shutdown also statuses, bars and deletions.

        The daily budget is kept: ticks for which it has no room are dropped with the rest.
        A failure of the database is recorded and ends the attempt. Documents that wait for their next attempt are
        skipped.
        """
        async with self._lock:
            if self._must_wait_for_ownership():
                return
            now, publisher = asyncio.get_running_loop().time, self._publisher
            publisher.enqueue_held_ticks()
            room = self._store.write_budget.room_for_data
            while True:
                ticks = self._coalescer.take_due_ticks(min(room, BATCH), now(), 0.0, publisher.is_blocked)
                room -= len(ticks)
                if ticks:
                    publisher.start_writing_all_ticks(ticks, now())
                elif self._writes.has_requests_in_flight(QUOTES, UPKEEP):
                    await self._writes.wait()
                else:
                    break
                if error := self._writes.take_database_failure(QUOTES):
                    self._health.record_result(QUOTES, error.message)
                    return
            if self._parts.desired.value.pause is None:  # shutdown, not a pause: there is no later attempt
                self._upkeep.start_due_writes(self._writes, now(), self._store.write_budget.room_for_data)
                await self._writes.wait()

    async def _write_due_unless_paused(self, scheduled: float) -> None:
        """Start to write all that is due at `scheduled`, except while a pause is in force, and wait for most of it.

        Statuses, bars and deletions come first, then as many ticks as the token bucket allows. The bucket counts each
        document when it is sent, whether or not the write succeeds.
        """
        desired = self._parts.desired.value
        if desired.pause is not None:
            return  # the supervisor drains next
        self._apply_desired(desired)
        self._hold_all_documents_if_rewrite_requested()
        if scheduled >= self._upkeep_at:
            room = self._rate.room_for_bars(scheduled, has_quotes=len(self._coalescer) > 0)
            self._rate.spend_on_bars(self._upkeep.start_due_writes(self._writes, scheduled, room))
        self._publisher.enqueue_refreshes_and_price_changes(scheduled)
        interval = desired.limits.min_interval_milliseconds / 1000
        room, is_blocked = self._rate.room_for_quotes(scheduled), self._publisher.is_blocked
        while room > 0 and (ticks := self._coalescer.take_due_ticks(min(room, BATCH), scheduled, interval, is_blocked)):
            started = self._publisher.start_writing_changed_ticks(ticks, scheduled)
            self._rate.spend_on_quotes(started)
            room -= started
        await self._writes.wait(_FLUSH_SECONDS)

    def _hold_all_documents_if_rewrite_requested(self) -> None:
        version = rewrite_version(self._parts.documents, self._counters)
        if version != self._rewrite_version:
            self._rewrite_version = version
            self._publisher.hold_all_for_rewrite()
            self._upkeep.hold_all_bars_for_rewrite()

    def _record_results(self, scheduled: float) -> None:
        """Record which writes have failed since the last flush, which was at `scheduled`, and when to retry them."""
        now, writes = asyncio.get_running_loop().time(), self._writes
        if error := writes.take_database_failure(UPKEEP):
            self._count_failure(error)
            self._upkeep_failure = error.message
            self._upkeep_at = now + max(_UPKEEP_RETRY_SECONDS, error.retry_after)
        elif scheduled >= self._upkeep_at and not writes.has_requests_in_flight(UPKEEP):
            self._upkeep_failure = None
        self._report_failing_documents(writes.failure_message)
        if error := writes.take_database_failure(QUOTES):
            self._count_failure(error)
            self._health.record_result(QUOTES, error.message)
            delay = PACED_RETRY_SECONDS if error.is_paced else self._backoff.next_delay(at_least=error.retry_after)
            self._retry_at = now + delay
        elif writes.has_succeeded_since_failure or not writes.has_requests_in_flight(QUOTES):
            # Earlier failures were retried with success, or are obsolete.
            self._retry_at = None
            self._backoff.reset()
            self._health.record_result(QUOTES, None)

    def _count_failure(self, error: SinkError) -> None:
        if not error.is_withheld:
            increment(self._counters.errors, "firestore_write")

    def _report_failing_documents(self, message: str | None) -> None:
        self._health.record_result(UPKEEP, message or self._upkeep_failure)

    def _must_wait_for_ownership(self) -> bool:
        """Return True while another job writes, or may write, the documents.

        During a conflict, queued ticks are dropped, and each document is written again after it.
        """
        ownership = self._store.ownership
        if not ownership.writes_must_wait:
            return False
        if ownership.conflict.value is not None:
            increment(self._counters.suppressed, "document_conflict", self._coalescer.drop_queue())
            self._parts.documents.mark_content_unknown(self._parts.documents.symbols)
        return True

    def _update_and_check_failure_wait(self, at: float) -> bool:
        """Record whether heartbeats fail now, and return True while quote writes wait after a failure.

        While heartbeat writes fail too, quotes wait until a heartbeat succeeds, for at most 60 s more.
        """
        if self._retry_at is None:
            return False
        failed_before = self._heartbeat_failed
        self._heartbeat_failed = self._is_heartbeat_failing
        if self._heartbeat_failed:
            return at < self._retry_at + _HEARTBEAT_FIRST_SECONDS
        return at < self._retry_at and not failed_before  # a heartbeat that succeeds again ends the wait

    @property
    def _is_heartbeat_failing(self) -> bool:
        """Return True if heartbeats fail, and no quote has been written since the first failure.

        If quotes are written, only the heartbeat's document fails, not the database.
        """
        failing_since, written_at = (
            self._health.failing_since("heartbeat"),
            self._health.last_write_at,
        )
        return failing_since is not None and (written_at is None or written_at <= failing_since)

    def _apply_desired(self, desired: Desired) -> None:
        self._upkeep.apply_desired(desired, self._writes)
        self._parts.documents.set_max_spread_percent(desired.limits.max_spread_percent)
        self._rate.set_limits(desired.limits)
