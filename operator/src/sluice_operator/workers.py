"""The loops that take keys from the queue. An error concerns its own key only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from .domain.objects import Key
from .ports import ClusterError
from .reconcile import Result
from .workqueue import WorkQueue

log = logging.getLogger(__name__)


class Gate(Protocol):
    """Whether writes are allowed: the first LIST is done, and this replica leads."""

    async def wait(self) -> object:
        """Returns as soon as they are."""


class ReconcileMetrics(Protocol):
    """Where passes are counted."""

    def passed(self, seconds: float, outcome: str) -> None:
        """One pass took this long and ended so: `settled`, `again`, or the error's type."""


class Workers:
    """Any number of workers over one queue."""

    def __init__(
        self, queue: WorkQueue[Key], reconcile: Callable[[Key], Awaitable[Result]], gate: Gate, tally: ReconcileMetrics
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._gate = gate
        self._tally = tally

    async def run(self, count: int) -> None:
        """Runs until the queue is shut down; what is in hand is finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.keep_time(), name="deadlines")
            for number in range(count):
                group.create_task(self._work(), name=f"worker {number}")

    async def _work(self) -> None:
        while (key := await self._queue.get()) is not None:
            try:
                await self._gate.wait()
                await self.handle(key)
            finally:
                self._queue.done(key)
            await asyncio.sleep(0)  # a pass that needs no I/O gives the loop to nobody

    async def handle(self, key: Key) -> None:
        """One pass, and what follows from its result."""
        started = asyncio.get_running_loop().time()
        try:
            result = await self._reconcile(key)
        except ClusterError as error:
            outcome = type(error).__name__
            log.warning(
                "a reconciliation failed; retrying", extra={"job": "/".join(key), "error": f"{outcome}: {error}"}
            )
            self._queue.retry(key)
        except Exception as error:
            outcome = type(error).__name__
            log.exception("a reconciliation failed with an unexpected error; retrying", extra={"job": "/".join(key)})
            self._queue.retry(key)
        else:
            outcome = "again" if result.requeue else "settled"
            self._follow(key, result)
        self._tally.passed(asyncio.get_running_loop().time() - started, outcome)

    def _follow(self, key: Key, result: Result) -> None:
        self._queue.forget(key)
        if result.requeue:
            self._queue.add(key)
        if result.requeue_after is not None:
            self._queue.add_after(key, result.requeue_after)
