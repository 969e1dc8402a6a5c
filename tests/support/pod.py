"""The pod's loops in this process, with a given provider and sink."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Generic, TypeVar

from sluice_contract.status import StreamFailure
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.ports import Sink, Source
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from sluice_runtime.state.runtime_state import RuntimeState
from support.deadlines import wait_for
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, desired, identity
from support.sinks import Documents

S = TypeVar("S", bound=Sink)


class ShortBackoff(Backoff):
    """A backoff that always waits `seconds`, and remembers the minimum waits that were requested."""

    def __init__(self) -> None:
        super().__init__(0.1, 0.1, lambda _, high: high)
        self.asked: list[float] = []
        self.seconds = 0.1

    def next_delay(self, *, at_least: float = 0.0) -> float:
        self.asked.append(at_least)
        return self.seconds


def utc_now() -> datetime:
    """Return the time by this computer's clock."""
    return datetime.now(UTC)


class Pod(Generic[S]):
    """All loops of job acme/us."""

    def __init__(self, made: Source, opened: tuple[S, Documents], clock: Callable[[], datetime] = utc_now) -> None:
        """Build the loops on a provider, on a sink of `support.sinks`, and on a clock."""
        self.sink, self.documents = opened
        self.backoff = ShortBackoff()
        self.job = FakeJob()
        self.stop = asyncio.Event()
        who = identity(provider=made.name.partition(":")[0])
        self.runtime = RuntimeState(who, LatestValue(with_pause(desired(), UNREAD)), Coalescer(), clock)
        self._parts = RuntimeParts(source=made, sink=self.sink, job=self.job, runtime=self.runtime)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(run_loops_and_shut_down(self._parts, self.stop, self.backoff))
        try:
            yield
        finally:
            self.stop.set()
            await wait_for(task, 5)

    @property
    def failures(self) -> list[StreamFailure]:
        """The failures in the reported status, without repetitions."""
        told = [status.failure for _, status in self.job.reports if status.failure is not None]
        return [each for n, each in enumerate(told) if n == 0 or each != told[n - 1]]


LIMITS = {"minIntervalMilliseconds": 50, "flushIntervalMilliseconds": 20, "writesPerSecond": 500}

FakePod = Pod[FakeSink]
FirestorePod = Pod[FirestoreSink]
