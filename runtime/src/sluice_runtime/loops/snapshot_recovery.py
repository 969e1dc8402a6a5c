"""Fetches market snapshots: after each connect, and when the open connection is suspiciously silent."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime

from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.failure import SinkError, SnapshotError
from ..domain.freshness import SilenceReactionLimiter
from ..domain.market_hours import MarketHours
from ..domain.market_snapshot import MarketSnapshot
from ..ports import MarketSnapshots, Sink
from .journal import Journal
from .waiting import run_with_timeout

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

_CHECK_SECONDS = 5.0
# A connection that is silent for this long is verified, then at growing intervals until a message arrives.
_SILENT_SECONDS = 60.0
_MOST_SECONDS = 3600.0


class SnapshotRecovery:
    """Requests market snapshots to bring documents up to date after a connect, and to verify a silent connection.

    A newer quote is never replaced by an older one.
    """

    def __init__(self, snapshots: MarketSnapshots, sink: Sink, journal: Journal, market_hours: MarketHours) -> None:
        self._snapshots = snapshots
        self._sink = sink
        self._journal = journal
        self._market_hours = market_hours
        self._connection = 0
        self._live_at = journal.now()
        self._covered: frozenset[str] = frozenset()  # on this connection
        self._backoff = Backoff(30.0, _MOST_SECONDS, random.uniform)
        self._not_before = 0.0
        self._last_seen_message_at: datetime | None = None
        self._verification_limiter = SilenceReactionLimiter(2 * _SILENT_SECONDS, _MOST_SECONDS)
        self._failure = ""

    async def run(self) -> None:
        """Fetch missing snapshots and verify silent connections, until cancelled."""
        transitions = self._journal.transitions
        while True:
            version = transitions.version
            if self._journal.state == "Live":
                await self._fetch_missing_or_verify()
            await run_with_timeout(_CHECK_SECONDS, transitions.wait_for_change(version))

    async def _fetch_missing_or_verify(self) -> None:
        journal = self._journal
        if journal.counters.starts != self._connection:
            self._connection, self._covered, self._live_at = journal.counters.starts, frozenset(), journal.now()
            self._not_before = 0.0
            self._backoff.reset()
        wanted = journal.confirmed_symbols & journal.desired.value.symbols
        self._covered = (self._covered & wanted) - journal.needs_snapshot  # a symbol that returns may have newer data
        journal.needs_snapshot.clear()
        try:
            if asyncio.get_running_loop().time() < self._not_before:
                return
            if missing := wanted - self._covered:
                await self._fetch_and_apply_snapshot(missing)
            elif wanted and self._try_start_verification():
                await self._reconnect_if_quote_missed(wanted)
        except SnapshotError as error:
            self._record_failure_and_delay_next(str(error), self._backoff.next_delay(at_least=_CHECK_SECONDS))
        except SinkError as error:  # Firestore sets the pace of its own retries
            self._record_failure_and_delay_next(str(error), max(_CHECK_SECONDS, error.retry_after))

    async def _fetch_and_apply_snapshot(self, symbols: frozenset[str]) -> None:
        """Fetch the snapshot of `symbols`, and apply it unless the connection has changed in the meantime."""
        latest = await self._fetch_snapshot(symbols)
        newest = self._journal.coalescer.newest_tick_time
        if unknown := [symbol for symbol in symbols if newest(symbol) is None]:
            latest = latest.without_outdated_quotes(await self._sink.quote_document_times(unknown))
        if self._has_connection_changed():
            return
        self._covered |= symbols - self._journal.needs_snapshot
        self._backoff.reset()
        self._failure = ""
        newer_count = self._journal.apply_market_snapshot(latest)
        _log.info("snapshot had newer data for %d of %d symbols", newer_count, len(symbols), extra=_STREAM)

    async def _reconnect_if_quote_missed(self, symbols: frozenset[str]) -> None:
        """Fetch and apply a snapshot. If it has a quote that the stream did not deliver, request a reconnect."""
        since = self._silent_since()
        latest = await self._fetch_snapshot(symbols)
        if self._has_connection_changed() or self._silent_since() != since:
            return
        undelivered = latest.undelivered_quote(since, self._journal.now())
        self._journal.apply_market_snapshot(latest)
        if undelivered is not None:
            at = undelivered.ts.isoformat(timespec="seconds")
            _log.warning(
                "%s was quoted at %s, but the connection delivered nothing", undelivered.symbol, at, extra=_STREAM
            )
            self._journal.request_reconnect_for_silence()

    async def _fetch_snapshot(self, symbols: frozenset[str]) -> MarketSnapshot:
        latest = await self._snapshots.fetch_latest_quotes_and_trades(sorted(symbols))
        return latest if "trades" in self._journal.desired.value.channels else latest.without_trades()

    def _try_start_verification(self) -> bool:
        """Return True if the silence must be verified now: the market is open, and no message has arrived for 60 s.

        After each True, the interval to the next verification grows.
        """
        now, heard_at = self._journal.now(), self._journal.activity.last_message_at
        has_message, self._last_seen_message_at = heard_at != self._last_seen_message_at, heard_at
        is_silent = (now - self._silent_since()).total_seconds() >= _SILENT_SECONDS
        is_suspicious = is_silent and self._market_hours(now).phase == "open"
        return self._verification_limiter.try_acquire(is_suspicious, has_message, asyncio.get_running_loop().time())

    def _silent_since(self) -> datetime:
        return max(self._live_at, self._journal.activity.last_message_at or self._live_at)

    def _has_connection_changed(self) -> bool:
        """Return True if the connection for which the snapshot was requested is no longer open."""
        return self._journal.state != "Live" or self._journal.counters.starts != self._connection

    def _record_failure_and_delay_next(self, message: str, wait: float) -> None:
        self._not_before = asyncio.get_running_loop().time() + wait
        increment(self._journal.counters.errors, "snapshot")
        if message != self._failure:
            self._failure = message
            _log.warning("no market snapshot: %s; the stream continues without it", message, extra=_STREAM)
