"""Auto-stop: sets the switch `autoStop` when a limit is exceeded, and clears it once the user has reacted."""

from __future__ import annotations

import asyncio

from sluice_contract.spec import AutoStopLimits

from ..domain.auto_stop import FailureStreak, exceeded_limit_message
from ..domain.desired import Desired
from ..domain.pause import AUTO_STOP, JOB_SOURCE_PREFIX, Switch
from .journal import Journal
from .latest_value import wait_for_any_change
from .pause_control import PodSwitches
from .waiting import run_with_timeout


class AutoStopMonitor:
    """Pauses the job when a limit of `spec.autoStop` is exceeded.

    The limits apply to the streaming time and the consecutive failures since the last pause ended.
    """

    def __init__(self, journal: Journal, pod_switches: PodSwitches) -> None:
        self._journal = journal
        self._pod_switches = pod_switches
        self._streaming_since: float | None = None
        self._streak = FailureStreak()
        self._limits_before: AutoStopLimits | None = None

    async def run(self) -> None:
        """Check the limits on each change of desired state, failures or stream state, and when the time limit ends.

        Runs until cancelled.
        """
        journal = self._journal
        values = (journal.desired, journal.failures, journal.transitions)
        while True:
            versions = [(value, value.version) for value in values]
            self._update_switch(journal.desired.value, asyncio.get_running_loop().time())
            await run_with_timeout(self._seconds_until_time_limit(), wait_for_any_change(*versions))

    def _update_switch(self, desired: Desired, now: float) -> None:
        """Set the switch `autoStop` if a limit is exceeded, and clear it if the user has reacted."""
        journal = self._journal
        if desired.pause is None:
            since = self._streaming_since = now if self._streaming_since is None else self._streaming_since
            self._streak.update_from_total(journal.failures.value, journal.state == "Live", now)
            why = (
                exceeded_limit_message(desired.auto_stop, now - since, self._streak.consecutive_failures)
                if desired.auto_stop
                else None
            )
            if why is not None:
                self._pod_switches.set_and_store(Switch(source=AUTO_STOP, pauses=True, reason=why))
        else:
            self._streaming_since, self._streak = None, FailureStreak(journal.failures.value)
            if self._has_user_reacted(desired):
                self._pod_switches.set_and_store(Switch(source=AUTO_STOP, pauses=False))
        if desired.generation > 0:  # the limits are unknown until the job has been read
            self._limits_before = desired.auto_stop

    def _has_user_reacted(self, desired: Desired) -> bool:
        """Return True if the auto-stop is in force and the user has reacted to it.

        A reaction is that the IngestJob now pauses the job itself, or that its auto-stop limits have changed.
        """
        job_pauses = any(source.startswith(JOB_SOURCE_PREFIX) for source in desired.switches)
        limits = self._limits_before
        return AUTO_STOP in desired.switches and (job_pauses or (limits is not None and desired.auto_stop != limits))

    def _seconds_until_time_limit(self) -> float | None:
        limits = self._journal.desired.value.auto_stop
        if self._streaming_since is None or limits is None or limits.after_seconds is None:
            return None
        return max(0.0, self._streaming_since + limits.after_seconds - asyncio.get_running_loop().time())


async def wait_until_paused_for_good(journal: Journal, seconds: float) -> None:
    """Wait until the stream is closed and the last quotes are written, because the time of the process is over.

    This is the case when auto-stop has paused the job, or when any switch pauses it after `seconds` from now.
    """
    ends_at = asyncio.get_running_loop().time() + seconds
    while True:
        seen = (journal.desired, journal.desired.version), (journal.transitions, journal.transitions.version)
        left = ends_at - asyncio.get_running_loop().time()
        is_over = left <= 0 or AUTO_STOP in journal.desired.value.switches
        if is_over and journal.snapshot().acknowledgement is not None:
            return
        await run_with_timeout(left if left > 0 else None, wait_for_any_change(*seen))
