"""Freshness monitor: detects stale symbols and silent connections."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
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
from ..state.freshness_state import FreshnessState
from ..state.market_data import MarketData
from ..state.silent_connections import SilentConnections
from ..state.write_budget import DailyWriteBudget
from .stream_parts import StreamParts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FreshnessParts:
    """The parts of the state that freshness depends on, and where it is recorded."""

    market: MarketData
    silent_connections: SilentConnections
    freshness: FreshnessState
    write_budget: DailyWriteBudget


class FreshnessObserver:
    """Records the freshness of each symbol.

    A symbol that becomes stale, or ticks again, is logged and reported immediately.
    """

    def __init__(self, parts: StreamParts, freshness_parts: FreshnessParts, market_hours: MarketHours) -> None:
        self._desired = parts.desired
        self._stream = parts.stream
        self._now = parts.instruments.now
        self._transitions = parts.instruments.transitions
        self._market = freshness_parts.market
        self._silent_connections = freshness_parts.silent_connections
        self._freshness = freshness_parts.freshness
        self._write_budget = freshness_parts.write_budget
        self._market_hours = market_hours
        self._model = FreshnessModel()
        self._stale: frozenset[str] = frozenset()
        self._summary = FreshnessSummary(session=MarketState("unknown"), counts=NO_SYMBOLS)
        self._opened_at: datetime | None = None
        self._market_text = ""

    async def run(self) -> None:
        """Check the freshness of all symbols every 5 s, until cancelled."""
        self.renew_summary()
        while True:
            await asyncio.sleep(OBSERVATION_SECONDS)
            self.update_freshness()

    def update_freshness(self) -> None:
        """Check which symbols have ticked since the last call, and record the freshness of each symbol.

        If the connection is silent and no snapshot can verify that, request a reconnect from the supervisor.
        """
        desired = self._desired.value
        self._model.retain_only(desired.declared)
        session = self._market_hours(self._now())
        self._log_market_change(session)
        self._drop_doubtful_halts(session)
        inputs = self._freshness_input()
        ticked = self._market.coalescer.take_ticked_symbols()
        self._model.record_observation(ticked, inputs)
        states = self._model.quote_states_not_live(inputs)
        self._market.quote_states.replace_states(states)
        self._log_and_signal_stale_changes(frozenset(symbol for symbol, state in states.items() if state == "stale"))
        self._log_and_signal_received_and_unheard_symbols(self.renew_summary())
        silent_connections = self._silent_connections
        is_silent = not silent_connections.are_verified_by_snapshots and self._model.is_connection_silent(inputs)
        silent_connections.try_request_replacement("quotes", inputs.at, is_silent=is_silent, has_ticked=bool(ticked))

    def renew_summary(self) -> FreshnessSummary:
        """Return the market's state, the counts by state, and the first stale and halted symbols at this instant.

        Snapshots have this summary until the next one.
        """
        just_ticked = self._market.coalescer.has_tick_since_last_check
        summary = self._model.summarize(self._desired.value.declared, self._freshness_input(), just_ticked)
        self._freshness.renew(summary)
        return summary

    def freshness_by_symbol(self) -> dict[str, SymbolFreshness]:
        """Return the freshness and the pace of each declared symbol at this instant."""
        inputs, model = self._freshness_input(), self._model
        return {
            symbol: SymbolFreshness(model.freshness_of(symbol, inputs), model.pace_of(symbol))
            for symbol in self._desired.value.declared
        }

    def _freshness_input(self) -> FreshnessInput:
        desired = self._desired.value
        at, last_message_seconds = asyncio.get_running_loop().time(), self._market.activity.last_message_seconds
        session = self._market_hours(self._now())
        return FreshnessInput(
            at=at,
            session=session,
            streaming=self._stream.state == "Live",
            job_paused=desired.pause is not None,
            paused=desired.paused,
            subscribed=self._stream.confirmed_symbols & desired.declared,
            halted=self._market.last_values.halted_symbols & desired.declared,
            interval_seconds=self._write_budget.effective_interval_seconds,
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
        sessions = self._desired.value.market_schedule.sessions
        opened_at = session.since if "regular" not in sessions else None
        if session.session == "regular":
            opened_at = session.session_since
        opened_now = opened_at if opened_at != self._opened_at else None
        self._opened_at = opened_at or self._opened_at
        self._market.last_values.drop_doubtful_halts(self._market.coalescer.newest_tick_time, opened_now)

    def _log_and_signal_stale_changes(self, stale: frozenset[str]) -> None:
        """Log symbols that have become stale or ticked again; on any change, trigger a heartbeat and status report."""
        for symbol in sorted(stale - self._stale):
            _log.warning(
                "%s is stale: the market is open, but no quote arrives", symbol, extra={"event_type": "freshness"}
            )
        for symbol in sorted((self._stale - stale) & self._desired.value.declared):
            _log.info("%s is no longer stale", symbol, extra={"event_type": "freshness"})
        if stale != self._stale:
            self._stale = stale
            self._transitions.signal()

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
        wanted_count = len(self._desired.value.symbols)
        has_received_all = summary.received_count == wanted_count and before.received_count != wanted_count
        is_news = (before.unheard, before.never_ticked_count) != (summary.unheard, summary.never_ticked_count)
        if has_received_all or is_news:
            self._transitions.signal()
