"""Freshness monitor: detects stale symbols and silent connections."""

from __future__ import annotations

import asyncio
import logging
import math
from datetime import datetime

from ..domain.freshness import (
    NO_SYMBOLS,
    FreshnessInput,
    FreshnessModel,
    FreshnessSummary,
    SymbolFreshness,
)
from ..domain.market_hours import MarketHours, MarketState
from ..domain.symbol_pace import OBSERVATION_SECONDS
from .journal import Journal
from .market_clock import MarketClock

_log = logging.getLogger(__name__)


async def monitor_freshness_forever(market: MarketClock, journal: Journal) -> None:
    """Check the freshness of all symbols every 5 s, until cancelled."""
    observer = FreshnessObserver(journal, market.state_at)
    while True:
        await asyncio.sleep(OBSERVATION_SECONDS)
        observer.update_freshness()


class FreshnessObserver:
    """Writes the freshness of each symbol to the journal.

    A symbol that becomes stale, or ticks again, is logged and reported immediately.
    """

    def __init__(self, journal: Journal, market_hours: MarketHours) -> None:
        self._journal = journal
        self._market_hours = market_hours
        self._model = FreshnessModel()
        self._stale: frozenset[str] = frozenset()
        self._summary = FreshnessSummary(session=MarketState("unknown"), counts=NO_SYMBOLS)
        self._opened_at: datetime | None = None
        self._market_text = ""
        journal.freshness = self

    def update_freshness(self) -> None:
        """Check which symbols have ticked since the last call, and update the journal.

        If the connection is silent and no snapshot can verify that, request a reconnect from the supervisor.
        """
        journal, desired = self._journal, self._journal.desired.value
        self._model.retain_only(desired.declared)
        market = self._market_hours(journal.now())
        self._log_market_change(market)
        self._drop_doubtful_halts(market)
        inputs = self._freshness_input()
        ticked = journal.coalescer.take_ticked_symbols()
        self._model.record_observation(ticked, inputs)
        journal.quote_states = self._model.quote_states_not_live(inputs)
        self._log_and_signal_stale_changes(
            frozenset(symbol for symbol, state in journal.quote_states.items() if state == "stale")
        )
        self._log_and_signal_received_and_unheard_symbols(self.summarize())
        silent_connections = journal.silent_connections
        is_silent = not silent_connections.are_verified_by_snapshots and self._model.is_connection_silent(inputs)
        silent_connections.try_request_replacement("quotes", inputs.at, is_silent=is_silent, has_ticked=bool(ticked))

    def summarize(self) -> FreshnessSummary:
        """Return the market's state, the counts by state, and the first stale and halted symbols at this instant."""
        journal = self._journal
        just_ticked = journal.coalescer.has_tick_since_last_check
        return self._model.summarize(journal.desired.value.declared, self._freshness_input(), just_ticked)

    def freshness_by_symbol(self) -> dict[str, SymbolFreshness]:
        """Return the freshness and the pace of each declared symbol at this instant."""
        inputs, model = self._freshness_input(), self._model
        return {
            symbol: SymbolFreshness(model.freshness_of(symbol, inputs), model.pace_of(symbol))
            for symbol in self._journal.desired.value.declared
        }

    def _freshness_input(self) -> FreshnessInput:
        journal, desired = self._journal, self._journal.desired.value
        at, last_message_seconds = asyncio.get_running_loop().time(), journal.activity.last_message_seconds
        session = self._market_hours(journal.now())
        return FreshnessInput(
            at=at,
            session=session,
            streaming=journal.state == "Live",
            job_paused=desired.pause is not None,
            paused=desired.paused,
            subscribed=journal.confirmed_symbols & desired.declared,
            halted=journal.last_values.halted_symbols & desired.declared,
            interval_seconds=desired.effective_interval_seconds,
            is_main_session=session.session in (None, "regular") or "regular" not in desired.market_schedule.sessions,
            silent_seconds=math.inf if last_message_seconds is None else at - last_message_seconds,
        )

    def _log_market_change(self, market: MarketState) -> None:
        name = f"{market.session} session" if market.session else market.phase
        until = f" until {market.changes_at.isoformat()}" if market.changes_at else ""
        silence = "; no symbol trades, and the provider has nothing newer" if market.is_presumed_closed else ""
        text = f"market: {name}{until}{silence}"
        if text != self._market_text:
            self._market_text = text
            _log.info("%s", text, extra={"event_type": "market"})

    def _drop_doubtful_halts(self, session: MarketState) -> None:
        """Forget halts after which trading may have resumed overnight or while no connection was open.

        A halt of extended hours can last until the regular session, and one of the day before until then, too.
        """
        sessions = self._journal.desired.value.market_schedule.sessions
        opened_at = session.since if "regular" not in sessions else None
        if session.session == "regular":
            opened_at = session.session_since
        opened_now = opened_at if opened_at != self._opened_at else None
        self._opened_at = opened_at or self._opened_at
        self._journal.last_values.drop_doubtful_halts(self._journal.coalescer.newest_tick_time, opened_now)

    def _log_and_signal_stale_changes(self, stale: frozenset[str]) -> None:
        """Log symbols that have become stale or ticked again; on any change, trigger a heartbeat and status report."""
        for symbol in sorted(stale - self._stale):
            _log.warning(
                "%s is stale: the market is open, but no quote arrives", symbol, extra={"event_type": "freshness"}
            )
        for symbol in sorted((self._stale - stale) & self._journal.desired.value.declared):
            _log.info("%s is no longer stale", symbol, extra={"event_type": "freshness"})
        if stale != self._stale:
            self._stale = stale
            self._journal.signal_transition()

    def _log_and_signal_received_and_unheard_symbols(self, summary: FreshnessSummary) -> None:
        """Log symbols that have become unheard, and report at once that they have, or that all symbols have ticked."""
        before, self._summary = self._summary, summary
        for symbol in sorted(set(summary.unheard) - set(before.unheard)):
            _log.warning(
                "%s has never ticked, although the provider confirmed it; check that the feed has it under this name, "
                "or correct spec.symbols",
                symbol,
                extra={"event_type": "freshness"},
            )
        wanted_count = len(self._journal.desired.value.symbols)
        has_received_all = summary.received_count == wanted_count and before.received_count != wanted_count
        is_news = (before.unheard, before.never_ticked_count) != (summary.unheard, summary.never_ticked_count)
        if has_received_all or is_news:
            self._journal.signal_transition()
