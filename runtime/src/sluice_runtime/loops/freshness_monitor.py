"""Freshness monitor: detects stale symbols and silent connections."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from sluice_contract.status import FreshnessCounts

from ..domain.declared_job import DeclaredJob
from ..domain.freshness import OBSERVATION_SECONDS, FreshnessInput, FreshnessModel, Reconnects
from ..domain.market_hours import Hours, MarketSession, hours, hours_unknown
from .journal import Journal
from .latest_value import LatestValue

_log = logging.getLogger(__name__)


async def monitor_freshness(live: LatestValue[DeclaredJob | None], journal: Journal) -> None:
    """Check freshness every 5 s, until cancelled. Market hours are unknown until the job has been read."""
    observer = Observer(journal)
    while True:
        await asyncio.sleep(OBSERVATION_SECONDS)
        spec = live.value.spec if live.value is not None else None
        observer.observe(hours(spec) if spec is not None else hours_unknown)


class Observer:
    """Writes freshness to the journal. A symbol that becomes stale or ticks again is reported immediately."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._judge = FreshnessModel()
        self._reconnects = Reconnects()
        self._stale: frozenset[str] = frozenset()
        self._opened_at: datetime | None = None
        self._session = MarketSession("unknown")
        journal.count_freshness = self._count

    def observe(self, market: Hours) -> None:
        """Check which symbols ticked since the last call, and update the journal."""
        journal, desired = self._journal, self._journal.desired.value
        self._judge.keep(desired.declared)
        self._session = market(journal.now())
        self._doubt_halts(self._session)
        scene = self._scene()
        heard = journal.coalescer.heard()
        self._judge.observe(heard, scene)
        journal.quote_states = self._judge.quote_states(scene)
        self._tell(frozenset(symbol for symbol, state in journal.quote_states.items() if state == "stale"))
        if self._reconnects.is_due(self._judge.is_mute(scene), bool(heard), scene.at):
            journal.mute_found()

    def _count(self) -> FreshnessCounts:
        return self._judge.counts(self._journal.desired.value.declared, self._scene())

    def _scene(self) -> FreshnessInput:
        journal, desired = self._journal, self._journal.desired.value
        heard_at = journal.last_message_at or datetime.min.replace(tzinfo=UTC)
        return FreshnessInput(
            at=asyncio.get_running_loop().time(),
            session=self._session,
            streaming=journal.state == "Live",
            job_paused=desired.pause is not None,
            paused=desired.paused,
            subscribed=journal.confirmed & desired.declared,
            halted=journal.last_values.halts & desired.declared,
            interval_seconds=desired.effective_interval_seconds,
            silent_seconds=(journal.now() - heard_at).total_seconds(),
        )

    def _doubt_halts(self, session: MarketSession) -> None:
        """Forget halts whose end may have been missed, overnight or while no connection was open."""
        opened_now = session.since if session.since != self._opened_at else None
        self._opened_at = session.since or self._opened_at
        self._journal.last_values.doubt_halts(self._journal.coalescer.newest, opened_now)

    def _tell(self, stale: frozenset[str]) -> None:
        for symbol in sorted(stale - self._stale):
            _log.warning(
                "%s is stale: the market is open, but no quote arrives", symbol, extra={"event_type": "freshness"}
            )
        for symbol in sorted((self._stale - stale) & self._journal.desired.value.declared):
            _log.info("%s is no longer stale", symbol, extra={"event_type": "freshness"})
        if stale != self._stale:
            self._stale = stale
            self._journal.transition()
