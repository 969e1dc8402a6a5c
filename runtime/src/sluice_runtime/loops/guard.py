"""The guardrails: pauses the job by the switch autoStop, and lets go of it when somebody has seen to it."""

from __future__ import annotations

import asyncio

from sluice_contract.spec import AutoStop

from ..domain.desired import Desired
from ..domain.guardrail import Streak, breach
from ..domain.pause import AUTO_STOP, Switch
from .cell import any_changed
from .journal import Journal
from .racing import within
from .switchboard import Switchboard


class Guard:
    """What it has seen of the stream since no switch pauses it."""

    def __init__(self, journal: Journal, switchboard: Switchboard) -> None:
        self._journal = journal
        self._switchboard = switchboard
        self._streaming_since: float | None = None
        self._streak = Streak()
        self._limits_before: AutoStop | None = None

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        journal = self._journal
        cells = (journal.aim, journal.failures, journal.transitions)
        while True:
            seen = [(cell, cell.version) for cell in cells]
            self._look(journal.aim.value, asyncio.get_running_loop().time())
            await within(self._seconds_left(), any_changed(*seen))

    def _look(self, aim: Desired, now: float) -> None:
        journal = self._journal
        if aim.pause is None:
            since = self._streaming_since = now if self._streaming_since is None else self._streaming_since
            self._streak.note(journal.failures.value, journal.state == "Live", now)
            why = breach(aim.auto_stop, now - since, self._streak.errors) if aim.auto_stop else None
            if why is not None:
                self._switchboard.set(Switch(source=AUTO_STOP, pauses=True, reason=why))
        else:
            self._streaming_since, self._streak = None, Streak(journal.failures.value)
            if self._is_seen_to(aim):
                self._switchboard.set(Switch(source=AUTO_STOP, pauses=False))
        if aim.generation > 0:  # before the job has been read, its limits are not known
            self._limits_before = aim.auto_stop

    def _is_seen_to(self, aim: Desired) -> bool:
        """The job itself pauses, or allows other limits than when it was stopped."""
        job_pauses = any(source.startswith("cr:") for source in aim.switches)
        limits = self._limits_before
        return AUTO_STOP in aim.switches and (job_pauses or (limits is not None and aim.auto_stop != limits))

    def _seconds_left(self) -> float | None:
        limits = self._journal.aim.value.auto_stop
        if self._streaming_since is None or limits is None or limits.after_seconds is None:
            return None
        return max(0.0, self._streaming_since + limits.after_seconds - asyncio.get_running_loop().time())
