"""Writes the status of each pause when it changes, at most once a second for each pause."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from sluice_contract.pauses import PauseStatus

from .domain.pause_objects import PauseKey, PauseObject
from .domain.status_of_pause import ACKNOWLEDGEMENT_SECONDS, MAX_NAMES, PauseCounts, status_of_pause
from .pause_state import CoveredJobs, PauseState
from .ports import ClusterError, NotFound, PauseStore, seconds_until_retry
from .workers import StartGate
from .workqueue import WorkQueue

log = logging.getLogger(__name__)

WORKERS: Final = 4
_PERIOD_SECONDS: Final = 1.0  # the shortest time between two writes of one status
_JUST_AFTER_SECONDS: Final = 0.05


class StatusClocks(msgspec.Struct, frozen=True):
    """The clocks of the statuses: one for the times in them, one for durations."""

    now: Callable[[], datetime]  # timezone-aware
    monotonic: Callable[[], float]  # seconds


class _WriteTimes(msgspec.Struct):
    """Times of a pause by the monotonic clock."""

    next_write_at: float = float("-inf")
    not_before: float = float("-inf")  # as the API server has asked
    waiting_since: float | None = None  # when a job that has not acknowledged the pause was first seen
    version: tuple[str, int] = ("", 0)  # UID and generation of the pause to which `waiting_since` belongs


class PauseStatusWriter:
    """Keeps the statuses of all pauses up to date. It writes nothing else of a pause, and deletes none."""

    def __init__(
        self,
        store: PauseStore,
        pauses: Callable[[], PauseState],
        clocks: StatusClocks,
        access_problem: Callable[[PauseKey], str] = lambda _: "",
    ) -> None:
        """`pauses` returns the known pauses. `access_problem` returns why running pods cannot see a pause, or ""."""
        self._store = store
        self._pauses = pauses
        self._clocks = clocks
        self._access_problem = access_problem
        self._times: dict[PauseKey, _WriteTimes] = {}
        self.queue = WorkQueue[PauseKey](clocks.monotonic)

    def request_update(self, key: PauseKey) -> None:
        """Compute the status of the pause soon: at once, or a second after it was last written."""
        times = self._times.get(key)
        wait = times.next_write_at - self._clocks.monotonic() if times is not None else 0.0
        if wait <= 0:
            self.queue.add(key)
        else:
            self.queue.add_after(key, wait)

    async def run(self, gate: StartGate) -> None:
        """Write statuses until the queue is shut down, once this replica leads."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.add_due_keys_until_shutdown(), name="pause deadlines")
            for number in range(WORKERS):
                group.create_task(self._process_keys(gate), name=f"pause status {number}")

    async def _process_keys(self, gate: StartGate) -> None:
        while (key := await self.queue.get()) is not None:
            try:
                await gate.wait()
                await self.update_status(key)
            except ClusterError as error:
                log.warning(
                    "the status of a pause was not written; retrying",
                    extra={
                        "pause": "/".join(part for part in key if part),
                        "error": f"{type(error).__name__}: {error}",
                    },
                )
                self._retry_later(key, error)
            finally:
                self.queue.mark_done(key)
            await asyncio.sleep(0)

    def _retry_later(self, key: PauseKey, error: ClusterError) -> None:
        """Queue the pause again after a failure, and not before the time that the API server has named."""
        asked = seconds_until_retry(error, 0.0)
        times = self._times.get(key)
        if asked and times is not None:
            times.next_write_at = times.not_before = self._clocks.monotonic() + asked
            self.queue.add_after(key, asked)
        else:
            self.queue.add_after_backoff(key)

    async def update_status(self, key: PauseKey) -> None:
        """Write the status of the pause if it has changed, and queue the pause for its next change by time alone.

        Nothing is written before each job that the pause covers has been reconciled since the pause changed. Raises
        `ClusterError` if the write fails.
        """
        pauses, now = self._pauses(), self._clocks.now()
        pause = pauses.get(key)
        if pause is None:
            self._times.pop(key, None)
            return
        jobs = pauses.jobs_of_pause(key)
        is_in_force = pause.is_in_force(now)
        if is_in_force and jobs.unassessed:
            return  # the last assessment queues the pause again
        times = self._times.setdefault(key, _WriteTimes())
        if (wait := times.not_before - self._clocks.monotonic()) > 0:
            self.queue.add_after(key, wait)
            return
        version = pause.metadata.uid, pause.metadata.generation
        if not is_in_force or times.version != version:
            times.waiting_since, times.version = None, version
        counts = self._counts(jobs, times)
        status = status_of_pause(pause, counts, now, self._access_problem(key))
        if status != pause.status:
            times.next_write_at = self._clocks.monotonic() + _PERIOD_SECONDS  # also of a write that fails
            await self._write(key, pauses, status)
        self.queue.reset_backoff(key)
        self._queue_for_next_change(pause, counts, now)

    def _counts(self, jobs: CoveredJobs, times: _WriteTimes) -> PauseCounts:
        """Return the counts of the pause, and update since when it waits for a job."""
        if not jobs.waiting:
            times.waiting_since = None
        elif times.waiting_since is None:
            times.waiting_since = self._clocks.monotonic()
        since = times.waiting_since
        return PauseCounts(
            selected=jobs.selected_count,
            acknowledged=jobs.acknowledged_count,
            waiting_for=tuple(heapq.nsmallest(MAX_NAMES, (name for _, name in jobs.waiting))),
            waiting_seconds=self._clocks.monotonic() - since if since is not None else 0.0,
        )

    async def _write(self, key: PauseKey, pauses: PauseState, status: PauseStatus) -> None:
        try:
            stored = await self._store.write_pause_status(key, status)
        except NotFound:
            return  # the pause was deleted meanwhile, which the watch or the next LIST shows
        pauses.cache_of(key).put_if_newer(key, stored)

    def _queue_for_next_change(self, pause: PauseObject, counts: PauseCounts, now: datetime) -> None:
        if (until := pause.spec.until) is not None and until > now:
            self.queue.add_after(pause.key, (until - now).total_seconds() + _JUST_AFTER_SECONDS)
        seconds_left = ACKNOWLEDGEMENT_SECONDS - counts.waiting_seconds
        if not counts.are_complete and seconds_left > 0:
            self.queue.add_after(pause.key, seconds_left + _JUST_AFTER_SECONDS)
