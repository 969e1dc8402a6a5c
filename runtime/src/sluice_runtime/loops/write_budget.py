"""Paces the writes by the daily budget (limits.writesPerDay), and pauses the job while the budget is used up."""

from __future__ import annotations

import logging

from sluice_contract.pause_sources import QUOTA_SOURCE

from ..aio.latest_value import LatestValue, wait_for_any_change
from ..aio.waiting import run_with_timeout
from ..domain.desired import Desired
from ..domain.pause import Switch
from ..domain.write_budget import BudgetState, WriteAccount, used_up_message
from ..state.instruments import Instruments
from ..state.switch_states import SwitchStates
from ..state.write_budget import DailyWriteBudget
from .market_clock import MarketClock

_log = logging.getLogger(__name__)
_WRITE_BUDGET = {"event_type": "write_budget"}

_CHECK_SECONDS = 5.0
_RESUMED = Switch(source=QUOTA_SOURCE, pauses=False)


class WriteBudgetMonitor:
    """Sets the switch `quota` when the budget of the day is used up, and clears it at midnight or at a larger limit.

    Each change of the budget's state is logged and reported immediately.
    """

    def __init__(
        self,
        budget: DailyWriteBudget,
        desired: LatestValue[Desired],
        switches: SwitchStates,
        market: MarketClock,
        instruments: Instruments,
    ) -> None:
        self._budget = budget
        self._desired = desired
        self._switches = switches
        self._market = market
        self._now = instruments.now
        self._transitions = instruments.transitions
        self._state: BudgetState | None = None
        self._switch = _RESUMED

    async def run(self) -> None:
        """Check the budget every 5 s, on each change of the desired state and at the end of the day, until cancelled.

        Without a budget, only a change of the desired state matters.
        """
        watched = (self._desired, self._budget.is_continued)
        while True:
            seen = [(value, value.version) for value in watched]
            self._check()
            await run_with_timeout(self._seconds_until_check(), wait_for_any_change(*seen))

    def _check(self) -> None:
        before = self._budget.account()
        self._budget.renew_open_seconds(self._market.open_seconds_between(self._now(), before.resets_at))
        state = self._budget.update_state()
        self._update_switch(state, self._budget.account())
        if state != self._state:
            self._log_change(state, self._budget.account())
            self._state = state
            self._transitions.signal()

    def _update_switch(self, state: BudgetState | None, account: WriteAccount) -> None:
        switch = _RESUMED
        if state == "Exhausted" and account.limit is not None:
            reason = used_up_message(account.limit, account.day, self._desired.value.heartbeat.interval_seconds)
            switch = Switch(source=QUOTA_SOURCE, pauses=True, reason=reason, until=account.resets_at)
        if switch != self._switch:
            self._switch = switch
            self._switches.set_switch(switch)

    def _log_change(self, state: BudgetState | None, account: WriteAccount) -> None:
        values = (account.used, account.limit, account.day)
        if state == "Exhausted":
            text = "the write budget is used up: %d of %d documents for %s; the job is paused until midnight there"
            _log.warning(text, *values, extra=_WRITE_BUDGET)
        elif state == "Slowed":
            text = "80 %% of the write budget are used: %d of %d documents for %s; the rest is written at %.3f a second"
            _log.warning(text, *values, account.documents_per_second, extra=_WRITE_BUDGET)
        elif state == "Sufficient":
            _log.info("the write budget is sufficient: %d of %d documents for %s", *values, extra=_WRITE_BUDGET)
        else:
            _log.info("the job has no write budget any more", extra=_WRITE_BUDGET)

    def _seconds_until_check(self) -> float | None:
        account = self._budget.account()
        if account.limit is None:
            return None
        return min(_CHECK_SECONDS, max(0.0, (account.resets_at - self._now()).total_seconds()))
