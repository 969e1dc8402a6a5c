"""Fetches market snapshots: after each connect, and when the open connection is suspiciously silent."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime

from ..domain.backoff import Backoff
from ..domain.counters import count
from ..domain.failure import SinkError
from ..domain.freshness import Reconnects
from ..domain.market_hours import Hours
from ..domain.market_snapshot import MarketSnapshot
from ..ports import MarketSnapshots, Sink, SnapshotError
from .journal import Journal
from .waiting import completes_within

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

_LOOK_SECONDS = 5.0
# A connection that is silent for this long is verified, then at growing intervals until a message arrives.
_SILENT_SECONDS = 60.0
_MOST_SECONDS = 3600.0


class SnapshotRecovery:
    """Brings documents up to date after a connect, and never replaces a newer quote with an older one."""

    def __init__(self, snapshots: MarketSnapshots, sink: Sink, journal: Journal, market: Hours) -> None:
        self._snapshots = snapshots
        self._sink = sink
        self._journal = journal
        self._market = market
        self._connection = 0
        self._live_at = journal.now()
        self._covered: frozenset[str] = frozenset()  # on this connection
        self._backoff = Backoff(30.0, _MOST_SECONDS, random.uniform)
        self._not_before = 0.0
        self._heard_at: datetime | None = None
        self._questions = Reconnects(2 * _SILENT_SECONDS, _MOST_SECONDS)
        self._failure = ""

    async def run(self) -> None:
        """Fetch missing snapshots and verify silent connections, until cancelled."""
        transitions = self._journal.transitions
        while True:
            version = transitions.version
            if self._journal.state == "Live":
                await self._fetch_missing_or_verify()
            await completes_within(_LOOK_SECONDS, transitions.changed(version))

    async def _fetch_missing_or_verify(self) -> None:
        journal = self._journal
        if journal.counters.starts != self._connection:
            self._connection, self._covered, self._live_at = journal.counters.starts, frozenset(), journal.now()
            self._not_before = 0.0
            self._backoff.reset()
        wanted = journal.confirmed & journal.desired.value.symbols
        self._covered = (self._covered & wanted) - journal.needs_snapshot  # a symbol that returns may have newer data
        journal.needs_snapshot.clear()
        try:
            if asyncio.get_running_loop().time() < self._not_before:
                return
            if missing := wanted - self._covered:
                await self._cover(missing)
            elif wanted and self._is_suspect():
                await self._verify(wanted)
        except SnapshotError as error:
            self._failed(str(error), self._backoff.wait(at_least=_LOOK_SECONDS))
        except SinkError as error:  # Firestore sets the pace of its own retries
            self._failed(str(error), max(_LOOK_SECONDS, error.retry_after))

    async def _cover(self, symbols: frozenset[str]) -> None:
        latest = await self._ask(symbols)
        newest = self._journal.coalescer.newest
        if unknown := [symbol for symbol in symbols if newest(symbol) is None]:
            latest = latest.from_times(await self._sink.quote_times(unknown))
        if self._is_over():
            return
        self._covered |= symbols - self._journal.needs_snapshot
        self._backoff.reset()
        self._failure = ""
        caught_up = self._journal.caught_up(latest)
        _log.info("snapshot had newer data for %d of %d symbols", caught_up, len(symbols), extra=_STREAM)

    async def _verify(self, symbols: frozenset[str]) -> None:
        """Report the connection as silent if the provider has a newer quote that the stream did not deliver."""
        since = self._silent_since()
        latest = await self._ask(symbols)
        if self._is_over() or self._silent_since() != since:
            return
        unheard = latest.unheard(since, self._journal.now())
        self._journal.caught_up(latest)
        if unheard is not None:
            at = unheard.ts.isoformat(timespec="seconds")
            _log.warning("%s was quoted at %s, but the connection delivered nothing", unheard.symbol, at, extra=_STREAM)
            self._journal.mute_found()

    async def _ask(self, symbols: frozenset[str]) -> MarketSnapshot:
        latest = await self._snapshots.fetch_latest(sorted(symbols))
        return latest if "trades" in self._journal.desired.value.channels else latest.without_trades()

    def _is_suspect(self) -> bool:
        """Return True if the market is open and the silence is due for a check. A True result counts as a check."""
        now, heard_at = self._journal.now(), self._journal.last_message_at
        was_heard, self._heard_at = heard_at != self._heard_at, heard_at
        is_silent = (now - self._silent_since()).total_seconds() >= _SILENT_SECONDS
        is_odd = is_silent and self._market(now).phase == "open"
        return self._questions.is_due(is_odd, was_heard, asyncio.get_running_loop().time())

    def _silent_since(self) -> datetime:
        return max(self._live_at, self._journal.last_message_at or self._live_at)

    def _is_over(self) -> bool:
        """Return True if the connection that the snapshot was for is no longer the open one."""
        return self._journal.state != "Live" or self._journal.counters.starts != self._connection

    def _failed(self, message: str, wait: float) -> None:
        self._not_before = asyncio.get_running_loop().time() + wait
        count(self._journal.counters.errors, "snapshot")
        if message != self._failure:
            self._failure = message
            _log.warning("no market snapshot: %s; the stream continues without it", message, extra=_STREAM)
