"""Publishes all data of a job to its destinations besides the document store."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ..aio.latest_value import LatestValue
from ..aio.waiting import run_with_timeout
from ..destination_ports import Destination, PausableWrites
from ..domain.backoff import Backoff
from ..domain.desired import Desired
from ..domain.gap_ledger import GapLedger
from ..domain.heartbeat_document import heartbeat_document
from ..domain.market import Bar, DocumentOrigin, Tick
from ..domain.symbol_records import IngestStateRecords
from ..loops.flusher import DRAIN_SECONDS
from ..loops.gap_writer import gap_document
from ..loops.heartbeat import TakeSnapshot, send_forever
from ..ports import Source
from ..state.destination_health import DestinationHealths
from ..state.document_ownership import DocumentOwnership
from ..state.instruments import Instruments
from ..state.market_data import MarketData
from ..state.stream_state import StreamListener
from .publishing_source import PublishingSource

_log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0
_CLOSE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class DestinationGroupParts:
    """The parts of the state that are published, and the health of the destinations."""

    desired: LatestValue[Desired]
    market: MarketData
    stream: StreamListener
    gaps: GapLedger
    ownership: DocumentOwnership
    healths: DestinationHealths
    instruments: Instruments


class DestinationGroup:
    """All destinations of a job besides the document store.

    Whatever a destination does, an exception in it is recorded in its health and reaches nothing else. Nothing is
    published in a dry run except heartbeats, and nothing while another job owns the documents of this one.
    """

    def __init__(
        self,
        destinations: Sequence[Destination],
        parts: DestinationGroupParts,
        origin: DocumentOrigin,
        take_snapshot: TakeSnapshot,
    ) -> None:
        self._destinations = destinations
        self._parts = parts
        self._origin = origin
        self._take_snapshot = take_snapshot
        self._records: IngestStateRecords | None = None
        self._recorded: frozenset[str] = frozenset()
        if destinations:
            parts.gaps.expect_publication()

    def with_published_data(self, source: Source) -> Source:
        """Return `source`, whose quotes and bars are also published if there is a destination."""
        return PublishingSource(source, self) if self._destinations else source

    def with_drain(self, writes: PausableWrites) -> PausableWrites:
        """Return `writes`, which a pause stops together with the destinations if there is one."""
        return _WritesWithDestinations(writes, self) if self._destinations else writes

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """Return the loops to run until the end of the process: none without a destination."""
        if not self._destinations:
            return []
        return [
            *(self._run_forever(each) for each in self._destinations),
            self._publish_heartbeats_forever(),
            self._publish_records_and_gaps_forever(),
        ]

    def publish_quotes(self, ticks: Sequence[Tick]) -> None:
        """Publish the quotes of desired symbols."""
        desired = self._parts.desired.value
        if self._is_publishing(desired) and (wanted := [each for each in ticks if each.symbol in desired.symbols]):
            self._publish(lambda destination: destination.publish_quotes(wanted))

    def publish_bars(self, bars: Sequence[Bar]) -> None:
        """Publish the bars of desired symbols."""
        desired = self._parts.desired.value
        if self._is_publishing(desired) and (wanted := [each for each in bars if each.symbol in desired.symbols]):
            self._publish(lambda destination: destination.publish_bars(wanted))

    async def drain(self) -> None:
        """Let all destinations send what they keep, side by side, for at most 3 s."""
        await asyncio.gather(*(self._drain(each) for each in self._destinations))

    async def send_last_heartbeat_and_close(self) -> None:
        """Publish the state of the process at its end, let all destinations send it for at most 3 s, and close them."""
        if self._destinations:
            await self._publish_heartbeat()
            await self.drain()
            await self.close()

    async def close(self) -> None:
        """Close all destinations, for at most 1 s."""
        await asyncio.gather(*(self._close(each) for each in self._destinations))

    def _is_publishing(self, desired: Desired) -> bool:
        return desired.generation > 0 and not desired.dry_run and not self._parts.ownership.writes_must_wait

    def _publish(self, publish: Callable[[Destination], None]) -> None:
        for each in self._destinations:
            try:
                publish(each)
            except Exception as error:  # any error of one destination: the others and the stream go on
                self._record_exception(each, error)

    async def _run_forever(self, destination: Destination) -> None:
        """Run a destination, and again after each exception, until cancelled."""
        backoff = Backoff(1.0, 60.0, random.uniform)
        while True:
            try:
                await destination.run()
            except Exception as error:  # as in _publish
                self._record_exception(destination, error)
            await asyncio.sleep(backoff.next_delay())

    async def _drain(self, destination: Destination) -> None:
        try:
            if not await run_with_timeout(DRAIN_SECONDS, destination.drain()):
                message = f"did not accept the last data within {DRAIN_SECONDS:g} s"
                self._parts.healths.health_of(destination.name).record_failure(message)
        except Exception as error:  # as in _publish
            self._record_exception(destination, error)

    async def _close(self, destination: Destination) -> None:
        try:
            await run_with_timeout(_CLOSE_SECONDS, destination.close())
        except Exception as error:  # as in _publish
            self._record_exception(destination, error)

    def _record_exception(self, destination: Destination, error: Exception) -> None:
        self._parts.healths.health_of(destination.name).record_failure(type(error).__name__)
        _log.debug("%s raised an exception", destination.name, exc_info=error)

    async def _publish_heartbeats_forever(self) -> None:
        desired, transitions = self._parts.desired, self._parts.instruments.transitions
        await send_forever(
            self._publish_heartbeat, desired, transitions, lambda: desired.value.heartbeat.interval_seconds
        )

    async def _publish_heartbeat(self) -> None:
        heartbeat = heartbeat_document(self._take_snapshot())
        self._publish(lambda destination: destination.publish_heartbeat(heartbeat))

    async def _publish_records_and_gaps_forever(self) -> None:
        while True:
            desired, version = self._parts.desired.value, self._parts.desired.version
            if self._is_publishing(desired):
                self._publish_changed_records(desired)
                self._publish_closed_gaps()
            await run_with_timeout(_CHECK_SECONDS, self._parts.desired.wait_for_change(version))

    def _publish_changed_records(self, desired: Desired) -> None:
        parts, at, now = self._parts, asyncio.get_running_loop().time(), self._parts.instruments.now()
        if self._records is None:
            # A symbol that was declared before this process is neither new nor newly paused.
            self._records = IngestStateRecords(self._origin.job, desired.paused, desired.declared)
        rejected = [each.symbol for each in parts.stream.ledger.rejected]
        removed = self._recorded - desired.declared
        self._records.update_from_desired(desired, rejected, removed, now)
        count = len(desired.declared) + len(removed)
        due = self._records.due_records(parts.market.last_event_times, at, now, count)
        self._recorded = desired.declared
        if due:
            self._records.mark_written(due, at)
            self._publish(lambda destination: destination.publish_records(due))

    def _publish_closed_gaps(self) -> None:
        if gaps := [gap_document(each, self._origin) for each in self._parts.gaps.take_gaps_to_publish()]:
            self._publish(lambda destination: destination.publish_gaps(gaps))


class _WritesWithDestinations:
    """The writes of the document store, and the destinations, which are drained side by side."""

    def __init__(self, writes: PausableWrites, destinations: DestinationGroup) -> None:
        self._writes = writes
        self._destinations = destinations

    async def drain_and_close(self) -> None:
        await asyncio.gather(self._writes.drain_and_close(), self._destinations.drain())

    def reopen_and_requeue_dropped(self) -> None:
        self._writes.reopen_and_requeue_dropped()
