"""A destination besides the document store, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sluice_contract.documents import HeartbeatDocument, IngestState
from sluice_contract.gap_documents import IngestGap
from sluice_runtime.aio.waiting import run_with_timeout
from sluice_runtime.domain.health import PublishedKind
from sluice_runtime.domain.market import Bar, Tick
from sluice_runtime.domain.token_bucket import TokenBucket
from sluice_runtime.state.destination_health import DestinationHealth
from support.virtual_time import seconds

CHECK_SECONDS = 0.1
ANSWER_SECONDS = 1.0
FAILURES_UNTIL_OPEN = 3
OPEN_SECONDS = 10.0


class MemoryDestination:
    """A Destination with a budget of `rate` items per second and a circuit breaker.

    The breaker opens for 10 s after three failures in a row. The place that it sends to raises `failure` if that is
    set, and never answers with `hangs`. With `raises`, the destination itself has a bug: each of its methods raises.
    """

    name = "memory"

    def __init__(self, health: DestinationHealth, rate: float = 100.0, burst: int = 100) -> None:
        self.received: list[tuple[float, PublishedKind, Any]] = []
        self.attempts: list[float] = []
        self.failure: Exception | None = None
        self.hangs = False
        self.raises = False
        self.is_closed = False
        self._health = health
        self._kept: dict[tuple[PublishedKind, str], Any] = {}
        self._bucket = TokenBucket(rate, burst, seconds())
        self._failures = 0
        self._open_until = 0.0

    def of_kind(self, kind: PublishedKind) -> list[Any]:
        """Return all that was received of one kind, in order."""
        return [item for _, found, item in self.received if found == kind]

    def publish_quotes(self, ticks: Sequence[Tick]) -> None:
        for tick in ticks:
            self._keep("quotes", tick.symbol, tick.to_quote())

    def publish_bars(self, bars: Sequence[Bar]) -> None:
        for bar in bars:
            self._keep("bars", bar.symbol, bar)

    def publish_records(self, records: Sequence[IngestState]) -> None:
        for record in records:
            self._keep("records", record.canonical_symbol, record)

    def publish_gaps(self, gaps: Sequence[IngestGap]) -> None:
        for gap in gaps:
            self._keep("gaps", gap.document_id, gap)

    def publish_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        self._keep("heartbeat", "", heartbeat)

    async def run(self) -> None:
        self._raise_if_broken()
        while True:
            now = seconds()
            if now >= self._open_until:
                await self._send_kept(self._bucket.available_tokens(now))
            await asyncio.sleep(CHECK_SECONDS)

    async def drain(self) -> None:
        self._raise_if_broken()
        try:
            if seconds() >= self._open_until:
                await self._send_kept(len(self._kept))
        finally:
            for key in [key for key in self._kept if key[0] in ("quotes", "bars")]:
                del self._kept[key]
                self._health.record_dropped(key[0], 1)

    async def close(self) -> None:
        self._raise_if_broken()
        self.is_closed = True

    def _keep(self, kind: PublishedKind, key: str, item: Any) -> None:
        self._raise_if_broken()
        self._kept[kind, key] = item

    def _raise_if_broken(self) -> None:
        if self.raises:
            raise RuntimeError("a bug")

    async def _send_kept(self, count: int) -> None:
        for (kind, key), item in list(self._kept.items())[:count]:
            self._bucket.spend_tokens(1)
            try:
                is_answered = await run_with_timeout(ANSWER_SECONDS, self._send(kind, item))
                failure = None if is_answered else "no answer"
            except ConnectionError as error:
                failure = str(error)
            if failure is not None:
                self._record_failure(failure)
                return
            self._failures = 0
            self._health.record_sent(kind, 1)
            if self._kept.get((kind, key)) is item:
                del self._kept[kind, key]

    async def _send(self, kind: PublishedKind, item: Any) -> None:
        self.attempts.append(seconds())
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        self.received.append((seconds(), kind, item))

    def _record_failure(self, message: str) -> None:
        self._health.record_failure(message)
        self._failures += 1
        if self._failures >= FAILURES_UNTIL_OPEN:
            self._open_until = seconds() + OPEN_SECONDS
