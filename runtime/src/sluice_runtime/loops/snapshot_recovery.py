"""Fetches market snapshots: after each connect, and to verify a silent connection."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..aio.latest_value import LatestValue
from ..aio.waiting import run_with_timeout
from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import SinkError, SnapshotError
from ..domain.market import Quote, Trade
from ..domain.market_hours import MarketHours
from ..domain.market_snapshot import MarketSnapshot
from ..domain.mute_detection import MuteDetector
from ..domain.stream_activity import DataKind
from ..ports import MarketSnapshots, Sink
from ..state.instruments import Instruments
from ..state.market_data import MarketData
from ..state.silent_connections import SilentConnections
from ..state.stream_state import StreamListener
from ..state.symbols import SymbolsAwaitingSnapshot

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

_CHECK_SECONDS = 5.0
# Between attempts: after failures that end by themselves, and where the provider refuses such requests.
_FIRST_RETRY_SECONDS, _OUTAGE_SECONDS, _REFUSED_SECONDS = 30.0, 60.0, 3600.0


@dataclass(frozen=True, kw_only=True)
class SnapshotRecoveryParts:
    """The parts of the state that snapshots are compared with and applied to."""

    desired: LatestValue[Desired]
    stream: StreamListener
    market: MarketData
    silent_connections: SilentConnections
    awaiting_snapshot: SymbolsAwaitingSnapshot
    instruments: Instruments


class SnapshotRecovery:
    """Requests market snapshots to bring documents up to date after a connect, and to verify a silent connection.

    A newer quote is never replaced by an older one.
    """

    def __init__(
        self, snapshots: MarketSnapshots, sink: Sink, parts: SnapshotRecoveryParts, market_hours: MarketHours
    ) -> None:
        self._snapshots = snapshots
        self._sink = sink
        self._parts = parts
        self._market_hours = market_hours
        self._connection = 0
        self._covered: frozenset[str] = frozenset()  # on this connection
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, _REFUSED_SECONDS, random.uniform)
        self._not_before = 0.0
        self._detectors: dict[DataKind, MuteDetector] = {"quotes": MuteDetector(), "trades": MuteDetector()}
        self._requested_at: float | None = None  # on this connection
        self._failure = ""

    async def run(self) -> None:
        """Fetch missing snapshots and verify silent connections, until cancelled."""
        transitions = self._parts.instruments.transitions
        while True:
            version = transitions.version
            if self._parts.stream.state == "Live":
                await self._fetch_missing_or_verify()
            await run_with_timeout(_CHECK_SECONDS, transitions.wait_for_change(version))

    async def _fetch_missing_or_verify(self) -> None:
        parts, at = self._parts, asyncio.get_running_loop().time()
        if parts.instruments.counters.live_transitions != self._connection:
            self._start_connection(at)
        wanted = parts.stream.confirmed_symbols & parts.desired.value.symbols
        self._covered = (
            self._covered & wanted
        ) - self._parts.awaiting_snapshot.take_symbols()  # a symbol that returns may have newer data
        try:
            if at < self._not_before:
                return
            if missing := wanted - self._covered:
                await self._fetch_and_apply_snapshot(missing, is_complete=missing == wanted)
            elif wanted and self._is_verification_due(at):
                await self._verify_silence(wanted)
        except SnapshotError as error:
            parts.silent_connections.set_verified_by_snapshots(is_verified=False)
            self._record_failure_and_delay_next(str(error), self._retry_seconds(error))
        except SinkError as error:  # Firestore sets the pace of its own retries, but not below that of requests
            self._record_failure_and_delay_next(str(error), max(_FIRST_RETRY_SECONDS, error.retry_after))

    def _start_connection(self, at: float) -> None:
        self._connection, self._covered = self._parts.instruments.counters.live_transitions, frozenset()
        self._not_before, self._requested_at = 0.0, None
        self._backoff.reset()
        for detector in self._detectors.values():
            detector.start_connection(at)

    async def _fetch_and_apply_snapshot(self, symbols: frozenset[str], *, is_complete: bool) -> None:
        """Fetch the snapshot of `symbols`, and apply it unless the connection has changed in the meantime.

        `is_complete` is True if these are all symbols of the connection.
        """
        latest = await self._fetch_snapshot(symbols, is_complete=is_complete)
        newest = self._parts.market.coalescer.newest_tick_time
        if unknown := [symbol for symbol in symbols if newest(symbol) is None]:
            latest = latest.without_outdated_quotes(await self._sink.quote_document_times(unknown))
        if self._has_connection_changed():
            return
        self._covered |= symbols - self._parts.awaiting_snapshot.symbols
        newer_count = self._parts.stream.apply_market_snapshot(latest)
        _log.info("snapshot had newer data for %d of %d symbols", newer_count, len(symbols), extra=_STREAM)

    async def _verify_silence(self, symbols: frozenset[str]) -> None:
        """Fetch a snapshot, which shows whether the silence of the connection is that of the market, and apply it."""
        latest = await self._fetch_snapshot(symbols, is_complete=True)
        if not self._has_connection_changed():
            self._parts.stream.apply_market_snapshot(latest)

    async def _fetch_snapshot(self, symbols: frozenset[str], *, is_complete: bool) -> MarketSnapshot:
        """Fetch a snapshot. If it shows that the connection is mute, request a reconnect.

        Raises:
            SnapshotError: the snapshot is not available.
        """
        self._requested_at = requested_at = asyncio.get_running_loop().time()
        latest = await self._snapshots.fetch_latest_quotes_and_trades(sorted(symbols))
        self._backoff.reset()
        self._failure = ""
        if "trades" not in self._parts.desired.value.channels:
            latest = latest.without_trades()
        if not self._has_connection_changed():
            self._parts.silent_connections.set_verified_by_snapshots(is_verified=True)
            self._reconnect_if_mute("quotes", latest.quotes, requested_at, is_complete=is_complete)
            self._reconnect_if_mute("trades", latest.trades, requested_at, is_complete=is_complete)
        return latest

    def _reconnect_if_mute(
        self, kind: DataKind, newest: Sequence[Quote | Trade], requested_at: float, *, is_complete: bool
    ) -> None:
        """Request a reconnect if the responses show that the stream does not deliver this kind of data.

        Symbols whose trading is halted are no evidence.
        """
        parts = self._parts
        if kind not in parts.desired.value.channels:
            return
        excluded, detector = parts.market.last_values.halted_symbols, self._detectors[kind]
        times = {each.symbol: each.ts for each in newest if each.symbol not in excluded}
        detector.record_data(parts.market.activity.seconds_of_last_data(kind))
        undelivered = detector.record_response(times, requested_at, is_complete=is_complete)
        if undelivered is None or not self._is_market_open():
            return
        at = asyncio.get_running_loop().time()
        helped = detector.has_delivered
        if parts.silent_connections.try_request_replacement(kind, at, is_silent=True, has_ticked=helped):
            _log_undelivered(kind, undelivered, times[undelivered])

    def _is_verification_due(self, at: float) -> bool:
        """Return True if a kind of data has been silent for so long that the silence must be verified now."""
        is_market_open, is_due = self._is_market_open(), False
        for kind, detector in self._detectors.items():
            detector.record_data(self._parts.market.activity.seconds_of_last_data(kind))
            if kind in self._parts.desired.value.channels:
                is_due |= detector.is_request_due(at, self._requested_at, is_market_open=is_market_open)
        return is_due

    def _is_market_open(self) -> bool:
        """Return True if silence may be a fault now. A market that is presumed closed may turn out to be open."""
        state = self._market_hours(self._parts.instruments.now())
        return state.phase == "open" or state.is_presumed_closed

    def _has_connection_changed(self) -> bool:
        """Return True if the connection for which the snapshot was requested is no longer open."""
        return (
            self._parts.stream.state != "Live" or self._parts.instruments.counters.live_transitions != self._connection
        )

    def _retry_seconds(self, error: SnapshotError) -> float:
        """Return the wait before the next attempt. An outage must not delay the detection of a mute connection much."""
        delay = self._backoff.next_delay(at_least=_CHECK_SECONDS)
        return max(error.retry_after, delay if error.is_refused else min(delay, _OUTAGE_SECONDS))

    def _record_failure_and_delay_next(self, message: str, wait: float) -> None:
        self._not_before = asyncio.get_running_loop().time() + wait
        increment(self._parts.instruments.counters.errors, "snapshot")
        if message != self._failure:
            self._failure = message
            _log.warning("no market snapshot: %s; the stream continues without it", message, extra=_STREAM)


def _log_undelivered(kind: DataKind, symbol: str, ts: datetime) -> None:
    """Log the data that shows that the connection is mute."""
    at = ts.isoformat(timespec="seconds")
    if kind == "trades":
        _log.warning("%s was traded at %s, but the connection delivered no trades", symbol, at, extra=_STREAM)
    else:
        _log.warning("%s was quoted at %s, but the open connection was silent", symbol, at, extra=_STREAM)
