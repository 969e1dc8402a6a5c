"""Notices that a whole market is silent: by the stream, and by the provider's REST interface."""

from __future__ import annotations

import asyncio
from datetime import datetime

from ..domain.coalescer import Coalescer
from ..state.silent_connections import SilentConnections
from .market_clock import MarketClock
from .stream_parts import StreamParts

_CHECK_SECONDS = 15.0
_LONG_SECONDS = 600.0


class MarketSilenceMonitor:
    """Presumes that the market is closed when no symbol has had a newer quote for ten minutes.

    A quote can come from the stream or from a snapshot. The time counts only while snapshots are available: without
    them, the silence can be that of the connection.
    """

    def __init__(
        self, market: MarketClock, parts: StreamParts, coalescer: Coalescer, silent_connections: SilentConnections
    ) -> None:
        self._market = market
        self._stream = parts.stream
        self._now = parts.instruments.now
        self._coalescer = coalescer
        self._silent_connections = silent_connections
        self._quote_times: dict[str, datetime | None] = {}  # of the newest quote of each symbol
        self._unchanged_since = 0.0
        self._session_since: datetime | None = None

    async def run(self) -> None:
        """Check every 15 s whether any symbol has a newer quote, until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            self.check_newest_quotes()

    def check_newest_quotes(self) -> None:
        """Presume that the market is closed, or end that presumption, by what has changed since the last call."""
        known, at = self._quote_times, asyncio.get_running_loop().time()
        newest = self._coalescer.newest_tick_time
        self._quote_times = {symbol: newest(symbol) for symbol in self._stream.confirmed_symbols}
        if any(ts != known.get(symbol, ts) for symbol, ts in self._quote_times.items()):
            self._market.end_presumption()
        if self._quote_times != known or not self._is_silence_meaningful():
            self._unchanged_since = at
        elif at - self._unchanged_since >= _LONG_SECONDS:
            self._market.presume_closed(self._now())

    def _is_silence_meaningful(self) -> bool:
        """Return True if quotes are expected, since before the last call, and snapshots are available."""
        state = self._market.state_at(self._now())
        is_new_session, self._session_since = state.session_since != self._session_since, state.session_since
        is_verified = self._stream.state == "Live" and self._silent_connections.are_verified_by_snapshots
        return is_verified and not is_new_session and (state.expects_quotes or state.is_presumed_closed)
