"""Auto-stop: sets the switch `autoStop` when a limit is exceeded, and clears it once the user has reacted."""

from __future__ import annotations

import asyncio

from sluice_contract.spec import AutoStopLimits

from ..aio.latest_value import wait_for_any_change
from ..aio.waiting import run_with_timeout
from ..domain.auto_stop import FailureStreak, exceeded_limit_message
from ..domain.desired import Desired
from ..domain.pause import AUTO_STOP, SPEC_SOURCES, Switch
from .pause_control import PodSwitches
from .stream_parts import StreamParts


class AutoStopMonitor:
    """Pauses the job when a limit of `spec.autoStop` is exceeded.

    The limits apply to the streaming time and the consecutive failures since the last pause ended.
    """

    def __init__(self, parts: StreamParts, pod_switches: PodSwitches) -> None:
        self._parts = parts
        self._pod_switches = pod_switches
        self._streaming_since: float | None = None
        self._streak = FailureStreak()
        self._limits_before: AutoStopLimits | None = None

    async def run(self) -> None:
        """Check the limits on each change of desired state, failures or stream state, and when the time limit ends.

        Runs until cancelled.
        """
        parts = self._parts
        values = (parts.desired, parts.stream.failure_count, parts.instruments.transitions)
        while True:
            versions = [(value, value.version) for value in values]
            self._update_switch(parts.desired.value, asyncio.get_running_loop().time())
            await run_with_timeout(self._seconds_until_time_limit(), wait_for_any_change(*versions))

    def _update_switch(self, desired: Desired, now: float) -> None:
        """Set the switch `autoStop` if a limit is exceeded, and clear it if the user has reacted."""
        parts = self._parts
        if desired.pause is None:
            since = self._streaming_since = now if self._streaming_since is None else self._streaming_since
            self._streak.update_from_total(parts.stream.failure_count.value, parts.stream.state == "Live", now)
            why = (
                exceeded_limit_message(desired.auto_stop, now - since, self._streak.consecutive_failures)
                if desired.auto_stop
                else None
            )
            if why is not None:
                self._pod_switches.set_and_store(Switch(source=AUTO_STOP, pauses=True, reason=why))
        else:
            self._streaming_since, self._streak = None, FailureStreak(parts.stream.failure_count.value)
            if self._has_user_reacted(desired):
                self._pod_switches.set_and_store(Switch(source=AUTO_STOP, pauses=False))
        if desired.generation > 0:  # the limits are unknown until the job has been read
            self._limits_before = desired.auto_stop

    def _has_user_reacted(self, desired: Desired) -> bool:
        """Return True if the auto-stop is in force and the user has reacted to it.

        A reaction is that the IngestJob now pauses the job itself, or that its auto-stop limits have changed.
        """
        job_pauses = not SPEC_SOURCES.isdisjoint(desired.switches)
        limits = self._limits_before
        return AUTO_STOP in desired.switches and (job_pauses or (limits is not None and desired.auto_stop != limits))

    def _seconds_until_time_limit(self) -> float | None:
        limits = self._parts.desired.value.auto_stop
        if self._streaming_since is None or limits is None or limits.after_seconds is None:
            return None
        return max(0.0, self._streaming_since + limits.after_seconds - asyncio.get_running_loop().time())


async def wait_until_paused_for_good(parts: StreamParts, seconds: float) -> None:
    """Wait until the stream is closed and the last quotes are written, because the time of the process is over.

    This is the case when auto-stop has paused the job, or when any switch pauses it after `seconds` from now.
    """
    ends_at = asyncio.get_running_loop().time() + seconds
    while True:
        seen = (
            (parts.desired, parts.desired.version),
            (parts.instruments.transitions, parts.instruments.transitions.version),
        )
        left = ends_at - asyncio.get_running_loop().time()
        is_over = left <= 0 or AUTO_STOP in parts.desired.value.switches
        if is_over and parts.stream.acknowledgement is not None:
            return
        await run_with_timeout(left if left > 0 else None, wait_for_any_change(*seen))
