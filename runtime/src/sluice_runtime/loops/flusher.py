"""Moves ticks from the coalescer to the sink: on a schedule, within the token bucket, one flush at a time."""

from __future__ import annotations

import asyncio
import logging

from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError
from ..domain.market import DocumentOrigin
from ..domain.token_bucket import TokenBucket
from ..ports import Sink
from .journal import Journal
from .publisher import Publisher
from .waiting import run_until_first_completes, run_with_timeout

_log = logging.getLogger(__name__)

_OTHER_WRITES_RETRY_SECONDS = 1.0
BATCH = 100  # documents per request
DRAIN_SECONDS = 3.0  # pending writes get this long at a pause or shutdown; the rest is dropped
# While quotes and heartbeat both fail, the heartbeat is the probe: it goes first after an outage, and quotes follow
# immediately. If only the heartbeat is refused, quotes wait no longer than this.
_HEARTBEAT_FIRST_SECONDS = 60.0


class Flusher:
    """Writes due ticks on a schedule, one flush at a time.

    Two writes of one document are never in flight together, because the earlier one could overwrite the later one.
    """

    def __init__(self, sink: Sink, journal: Journal, origin: DocumentOrigin, backoff: Backoff) -> None:
        limits = journal.desired.value.limits
        self._publisher = Publisher(sink, journal, origin)
        self._journal = journal
        self._backoff = backoff
        self._bucket = TokenBucket(limits.writes_per_second, limits.burst, asyncio.get_running_loop().time())
        self._limits = limits
        self._lock = asyncio.Lock()
        self._is_open = True
        self._is_drained = False
        self._drain_ended = asyncio.Event()
        self._retry_at: float | None = None
        self._other_writes_at = 0.0
        self._heartbeat_failed = False

    async def run(self) -> None:
        """Flush on a fixed schedule, until cancelled. Flushes that were missed are not repeated."""
        loop = asyncio.get_running_loop()
        scheduled = loop.time()
        while True:
            interval = self._journal.desired.value.limits.flush_interval_milliseconds / 1000
            scheduled = await self._wait_for_next_flush(max(scheduled + interval, loop.time() - interval))
            self._journal.loop_tick_at = self._journal.now()
            if not self._is_open or self._update_and_check_failure_wait(loop.time()):
                continue
            async with self._lock:
                try:
                    await run_until_first_completes(self._write_due_unless_paused(scheduled), self._drain_ended.wait())
                    self._retry_at = None
                    # Earlier failures were retried with success, or are obsolete.
                    self._journal.record_sink_result("quotes", None)
                except SinkError as error:
                    self._record_failure_and_delay_retry(error)

    async def _wait_for_next_flush(self, scheduled: float) -> float:
        """Wait for the scheduled time of the next flush, and return it.

        The first quote of the process is flushed immediately, and the schedule starts with it.
        """
        loop, journal = asyncio.get_running_loop(), self._journal
        while journal.coalescer.last is None:
            if not await run_with_timeout(
                scheduled - loop.time(), journal.transitions.wait_for_change(journal.transitions.version)
            ):
                return scheduled
            if journal.coalescer.last is not None:
                return min(scheduled, loop.time())
        await asyncio.sleep(scheduled - loop.time())
        return scheduled

    def reopen_and_requeue_dropped(self) -> None:
        """Allow writes again after `drain_and_close`.

        The ticks that it dropped are queued again, except where newer ones have arrived.
        """
        self._is_open, self._is_drained = True, False
        self._journal.coalescer.restore_dropped()
        self._drain_ended.clear()
        self._retry_at = None

    async def drain_and_close(self) -> None:
        """Write all pending quotes without throttling, for at most 3 s, and drop the rest. Then write nothing more.

        Writes stay blocked until `reopen_and_requeue_dropped`. If a call is cancelled, the next call completes it: a
        pod can be terminated while it pauses.
        """
        if self._is_drained:
            return
        self._is_open = False
        self._apply_desired(self._journal.desired.value)  # include ticks that arrived after the flush in flight began
        if not await run_with_timeout(DRAIN_SECONDS, self._try_to_write_pending()):
            _log.warning(
                "Firestore did not accept the last quotes in time; dropping them",
                extra={"event_type": "firestore_write"},
            )
        self._drain_ended.set()
        async with self._lock:  # wait until a flush that is still in flight has been cancelled
            pass
        increment(self._journal.counters.suppressed, "drained", self._journal.coalescer.drop_queue())
        self._is_drained = True

    async def _try_to_write_pending(self) -> None:
        """Write all queued and held ticks, and at shutdown also statuses, bars and deletions.

        A failure is recorded and ends the attempt.
        """
        async with self._lock:
            try:
                now = asyncio.get_running_loop().time
                self._publisher.enqueue_held_ticks()
                while ticks := self._journal.coalescer.take_due_ticks(BATCH, now(), 0.0):
                    await self._publisher.write_all_ticks(ticks, now())
                if self._journal.desired.value.pause is None:  # shutdown, not a pause: there is no later attempt
                    await self._publisher.write_all_but_quotes(now())
            except SinkError as error:
                self._journal.record_sink_result("quotes", error.message)

    async def _write_due_unless_paused(self, scheduled: float) -> None:
        """Write all that is due at `scheduled`, except while a pause is in force.

        Statuses, bars and deletions come first, then as many ticks as the token bucket allows.
        """
        desired = self._journal.desired.value
        if desired.pause is not None:
            return  # the supervisor drains next
        self._apply_desired(desired)
        await self._try_to_write_all_but_quotes(scheduled)
        self._publisher.enqueue_refreshes_and_price_changes(scheduled)
        interval = desired.limits.min_interval_milliseconds / 1000
        room = self._bucket.available_tokens(scheduled)
        while room > 0 and (ticks := self._journal.coalescer.take_due_ticks(min(room, BATCH), scheduled, interval)):
            if written := await self._publisher.write_changed_ticks(ticks, scheduled):
                self._bucket.spend_tokens(written)
                room -= written
                self._backoff.reset()

    async def _try_to_write_all_but_quotes(self, at: float) -> None:
        """Write statuses, bars and deletions.

        A failure is recorded and delays the next attempt at these writes, but never quotes.
        """
        if at < self._other_writes_at:
            return
        try:
            await self._publisher.write_all_but_quotes(at)
            self._journal.record_sink_result("documents", None)
        except SinkError as error:
            increment(self._journal.counters.errors, "firestore_write")
            self._journal.record_sink_result("documents", error.message)
            self._other_writes_at = asyncio.get_running_loop().time() + max(
                _OTHER_WRITES_RETRY_SECONDS, error.retry_after
            )

    def _update_and_check_failure_wait(self, at: float) -> bool:
        """Record whether heartbeats fail now, and return True while quote writes wait after a failure.

        While heartbeat writes fail too, quotes wait until a heartbeat succeeds, for at most 60 s more.
        """
        if self._retry_at is None:
            return False
        failed_before = self._heartbeat_failed
        self._heartbeat_failed = self._journal.sink_health.is_failing("heartbeat")
        if self._heartbeat_failed:
            return at < self._retry_at + _HEARTBEAT_FIRST_SECONDS
        return at < self._retry_at and not failed_before  # a heartbeat that succeeds again ends the wait

    def _record_failure_and_delay_retry(self, error: SinkError) -> None:
        increment(self._journal.counters.errors, "firestore_write")
        self._journal.record_sink_result("quotes", error.message)
        self._retry_at = asyncio.get_running_loop().time() + self._backoff.next_delay(at_least=error.retry_after)

    def _apply_desired(self, desired: Desired) -> None:
        self._publisher.apply_desired(desired)
        if desired.limits != self._limits:
            self._limits = desired.limits
            now = asyncio.get_running_loop().time()
            self._bucket.set_limits(desired.limits.writes_per_second, desired.limits.burst, now)
