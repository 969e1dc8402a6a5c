"""The workers, which take keys from the work queue and reconcile them. An error affects only its own key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from .domain.objects import Key
from .ports import ClusterError, Unavailable
from .reconcile import ReconcileResult
from .workqueue import WorkQueue

log = logging.getLogger(__name__)

MOST_RETRY_AFTER_SECONDS = 300.0  # the longest wait that the API server can impose on one job


class StartGate(Protocol):
    """A gate that opens when work may start. The gate of the workers opens when this replica leads."""

    async def wait(self) -> object:
        """Wait until the gate is open."""


class ReconcileMetrics(Protocol):
    """The metrics about reconciliations."""

    def record_reconciliation(self, seconds: float, outcome: str) -> None:
        """Record the duration and the outcome of a reconciliation: `settled`, `again`, or the type of the error."""


class Workers:
    """Concurrent workers that share one work queue."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconcile: Callable[[Key], Awaitable[ReconcileResult]],
        gate: StartGate,
        metrics: ReconcileMetrics,
        seconds_to_stop_deadline: Callable[[Key], float | None] = lambda _: None,
    ) -> None:
        """`seconds_to_stop_deadline` returns when a job has to be reconciled for a stop, whatever fails; or None."""
        self._seconds_to_stop_deadline = seconds_to_stop_deadline
        self._queue = queue
        self._reconcile = reconcile
        self._gate = gate
        self._metrics = metrics

    async def run(self, count: int) -> None:
        """Run `count` workers until the queue is shut down. Reconciliations in progress are finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.add_due_keys_until_shutdown(), name="deadlines")
            for number in range(count):
                group.create_task(self._process_keys_until_shutdown(), name=f"worker {number}")

    async def _process_keys_until_shutdown(self) -> None:
        """Take keys from the queue and reconcile them one after the other, once this replica leads."""
        while (key := await self._queue.get()) is not None:
            try:
                await self._gate.wait()
                await self.reconcile_and_requeue_if_needed(key)
            finally:
                self._queue.mark_done(key)
            await asyncio.sleep(0)  # a reconciliation without I/O never yields to the event loop

    async def reconcile_and_requeue_if_needed(self, key: Key) -> None:
        """Reconcile one key. Requeue it if the result asks for that, or with a backoff after an error."""
        started = asyncio.get_running_loop().time()
        try:
            result = await self._reconcile(key)
        except ClusterError as error:
            outcome = type(error).__name__
            log.warning(
                "a reconciliation failed; retrying", extra={"job": "/".join(key), "error": f"{outcome}: {error}"}
            )
            self._retry_with_backoff(key, (error.retry_after or 0.0) if isinstance(error, Unavailable) else 0.0)
        except Exception as error:
            outcome = type(error).__name__
            log.exception("a reconciliation failed with an unexpected error; retrying", extra={"job": "/".join(key)})
            self._retry_with_backoff(key)
        else:
            outcome = "again" if result.requeue else "settled"
            self._requeue_if_asked(key, result)
        self._metrics.record_reconciliation(asyncio.get_running_loop().time() - started, outcome)

    def _retry_with_backoff(self, key: Key, at_least: float = 0.0) -> None:
        """Add the key after its backoff of at least `at_least` seconds. The enforcement of a stop does not wait."""
        self._queue.add_after_backoff(key, min(at_least, MOST_RETRY_AFTER_SECONDS))
        self._add_at_stop_deadline(key)

    def _requeue_if_asked(self, key: Key, result: ReconcileResult) -> None:
        """Handle a successful reconciliation: add the key again now or later, as `result` says.

        The backoff is reset only once the job is settled, so that passes that always ask for another one slow down.
        """
        if result.requeue:
            if not self._queue.add_again(key):
                self._add_at_stop_deadline(key)
            return
        self._queue.reset_backoff(key)
        if result.requeue_after is not None:
            self._queue.add_after(key, result.requeue_after)

    def _add_at_stop_deadline(self, key: Key) -> None:
        if (seconds := self._seconds_to_stop_deadline(key)) is not None:
            self._queue.add_after(key, seconds)
