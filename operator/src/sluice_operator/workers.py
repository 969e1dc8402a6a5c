"""The workers, which take keys from the work queue. An error affects only its own key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from .domain.objects import Key
from .ports import ClusterError
from .reconcile import ReconcileResult
from .workqueue import WorkQueue

log = logging.getLogger(__name__)


class WriteGate(Protocol):
    """A gate that opens once writes are allowed: the first LIST is complete, and this replica leads."""

    async def wait(self) -> object:
        """Wait until the gate is open."""


class ReconcileMetrics(Protocol):
    """The metrics of reconciliations."""

    def record_reconciliation(self, seconds: float, outcome: str) -> None:
        """Record a reconciliation: its duration, and its outcome (`settled`, `again`, or the type of the error)."""


class Workers:
    """A number of workers that share one queue."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconcile: Callable[[Key], Awaitable[ReconcileResult]],
        gate: WriteGate,
        tally: ReconcileMetrics,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._gate = gate
        self._tally = tally

    async def run(self, count: int) -> None:
        """Run until the queue is shut down; reconciliations in progress are finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.add_due_keys_until_shutdown(), name="deadlines")
            for number in range(count):
                group.create_task(self._process_keys(), name=f"worker {number}")

    async def _process_keys(self) -> None:
        while (key := await self._queue.get()) is not None:
            try:
                await self._gate.wait()
                await self.reconcile_and_requeue(key)
            finally:
                self._queue.done(key)
            await asyncio.sleep(0)  # a reconciliation without I/O never yields to the event loop

    async def reconcile_and_requeue(self, key: Key) -> None:
        """Reconcile one key, and requeue it as the result requires."""
        started = asyncio.get_running_loop().time()
        try:
            result = await self._reconcile(key)
        except ClusterError as error:
            outcome = type(error).__name__
            log.warning(
                "a reconciliation failed; retrying", extra={"job": "/".join(key), "error": f"{outcome}: {error}"}
            )
            self._queue.add_after_backoff(key)
        except Exception as error:
            outcome = type(error).__name__
            log.exception("a reconciliation failed with an unexpected error; retrying", extra={"job": "/".join(key)})
            self._queue.add_after_backoff(key)
        else:
            outcome = "again" if result.requeue else "settled"
            self._requeue(key, result)
        self._tally.record_reconciliation(asyncio.get_running_loop().time() - started, outcome)

    def _requeue(self, key: Key, result: ReconcileResult) -> None:
        self._queue.reset_backoff(key)
        if result.requeue:
            self._queue.add(key)
        if result.requeue_after is not None:
            self._queue.add_after(key, result.requeue_after)
