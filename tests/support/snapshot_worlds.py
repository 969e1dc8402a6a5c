"""A pod with fakes, and snapshots beside its stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import SnapshotError
from sluice_runtime.domain.market_hours import REGULAR_HOURS, MarketHours, market_hours
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from sluice_runtime.loop_wiring import create_snapshot_recovery
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, FakeSource, desired, identity, job, runtime_state
from support.virtual_time import at, now, seconds

ALPACA: dict[str, Any] = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}
REGULAR = market_hours(REGULAR_HOURS)


class FakeSnapshots:
    """The provider's snapshots."""

    def __init__(self) -> None:
        self.answer: Callable[[], MarketSnapshot] = MarketSnapshot
        self.failure: str | None = None
        self.asked: list[tuple[int, list[str]]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def fetch_latest_quotes_and_trades(self, symbols: Sequence[str]) -> MarketSnapshot:
        self.asked.append((round(seconds()), list(symbols)))
        await self.goes_on.wait()
        if self.failure is not None:
            raise SnapshotError(self.failure, is_refused="403" in self.failure)
        return self.answer()


class SnapshotWorld:
    """A pod with two symbols."""

    def __init__(self) -> None:
        self.sink, self.source, self.snapshots = FakeSink(), FakeSource(), FakeSnapshots()
        self.job = FakeJob(job(1, **ALPACA))
        self.clock_error = timedelta()
        self.runtime = runtime_state(
            with_pause(desired(**ALPACA), UNREAD), lambda: now() + self.clock_error, identity(provider="alpaca")
        )

    @asynccontextmanager
    async def running(self, market: MarketHours = REGULAR) -> AsyncIterator[None]:
        """Run the pod, live, while the context lasts."""
        stop = asyncio.Event()
        catch_up = create_snapshot_recovery(self.runtime, self.snapshots, self.sink, market)
        parts = RuntimeParts(
            source=self.source, sink=self.sink, job=self.job, runtime=self.runtime, other_loops=[catch_up.run]
        )
        pod = asyncio.create_task(run_loops_and_shut_down(parts, stop, Backoff(1.0, 60.0, lambda _, high: high)))
        await at(1)
        try:
            yield
        finally:
            stop.set()
            await pod

    def lose(self) -> None:
        """Lose the connection; the pod makes another a second later."""
        self.source.connection.lose()

    def bids(self) -> dict[str, Any]:
        return {symbol: fields["bid"] for symbol, fields in sorted(self.sink.quotes.items())}
