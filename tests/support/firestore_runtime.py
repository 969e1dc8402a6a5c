"""A whole runtime with a fake provider, behind a proxy in front of the Firestore emulator."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from google.cloud import firestore

from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.sinks.firestore.factory import create_firestore_sink
from sluice_runtime.standalone_settings import standalone_settings
from sluice_runtime.state.runtime_state import RuntimeState
from support.deadlines import within
from support.firestore_proxy import FirestoreProxy
from support.runtime_fakes import FakeJob, FakeSource, desired, job, quote, runtime_state, stored_job


async def until(is_true: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true, for at most `seconds`."""
    async with within(seconds):
        while not is_true():  # noqa: ASYNC110  the runtime notifies no waiter
            await asyncio.sleep(0.02)


class Runtime:
    """A whole runtime behind a proxy, with a tick of each symbol every 0.2 s."""

    def __init__(self, proxy: FirestoreProxy, client: firestore.AsyncClient, symbols: Sequence[str]) -> None:
        self.proxy = proxy
        self.client = client
        self.symbols = symbols
        self.runtime: RuntimeState = runtime_state(with_pause(desired(symbols=symbols), UNREAD))
        self.source = FakeSource()
        self.job = FakeJob(job(1, symbols=symbols))
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, project: str, state: Path) -> AsyncIterator[None]:
        """Run it, with its first quote written. Its state is in the folder `state`."""
        settings = standalone_settings(
            stored_job(firestore={"projectID": project}), {"SLUICE_STATE_DIR": str(state)}, 7, uuid.uuid4()
        )
        sink = create_firestore_sink(settings, self.runtime.desired, WriteLog())
        parts = RuntimeParts(source=self.source, sink=sink, job=self.job, runtime=self.runtime)
        self.task = asyncio.create_task(
            run_loops_and_shut_down(parts, self.stop, Backoff(1.0, 60.0, lambda _, high: high))
        )
        talking = asyncio.create_task(self._talk())
        try:
            await self.until_written()
            await asyncio.sleep(0.5)
            yield
        finally:
            self.stop.set()
            talking.cancel()
            await asyncio.gather(talking, self.task, return_exceptions=True)
            await sink.close()

    async def until_written(self) -> None:
        """Wait until one more quote is written."""
        before = self.runtime.counters.writes
        await until(lambda: self.runtime.counters.writes > before, 30)

    async def heartbeat_status(self) -> str:
        """Return the status in the stored heartbeat."""
        found = (await self.client.document("tenants/acme/ops/market_ingest").get()).to_dict()
        assert found is not None
        return str(found["status"])

    async def until_heartbeat_has(self, status: str) -> None:
        """Wait until the stored heartbeat has this status."""
        async with within(20):
            while await self.heartbeat_status() != status:  # noqa: ASYNC110  the emulator notifies no waiter
                await asyncio.sleep(0.1)

    @property
    def failure(self) -> str:
        """The message of the sink's condition; empty if it is healthy."""
        return self.runtime.snapshot().sink_failure or ""

    @property
    def is_pause_reported(self) -> bool:
        """Return True if the job's status has the acknowledged pause."""
        pause = self.job.reports[-1][1].pause
        return pause is not None and pause.acknowledged_at is not None

    async def _talk(self) -> None:
        for bid in itertools.count(1):
            if self.source.connections:
                self.source.connection.say(*(quote(symbol, bid=float(bid)) for symbol in self.symbols))
            await asyncio.sleep(0.2)
