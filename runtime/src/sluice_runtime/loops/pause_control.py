"""The pod's own switches: set over HTTP or by auto-stop, and kept across restarts of the process."""

from __future__ import annotations

import msgspec

from ..domain.desired import DELETED, UNREAD
from ..domain.pause import API, Switch
from ..ports import Declaration, StartRequest, SwitchStore
from .journal import Journal
from .latest_value import wait_for_any_change
from .waiting import run_with_timeout

# A socket closes within 2 s and a drain ends within 3 s: this is longer than both, so the response is accurate.
_STOP_SECONDS = 8.0
_START_SECONDS = 1.0


class PodSwitches:
    """Sets the pod's own switches, and stores them with the keeper across restarts of the process."""

    def __init__(self, journal: Journal, keeper: SwitchStore | None = None) -> None:
        self._journal = journal
        self._keeper = keeper

    def restore(self) -> None:
        """Restore the switches that an earlier process of this pod stored."""
        try:
            for switch in self._keeper.read() if self._keeper else ():
                self._journal.set_switch(switch)
        except (OSError, msgspec.MsgspecError) as error:
            self._journal.record_switch_failure(
                f"the pod's own switches from before the restart are lost, set them again: {error}"
            )

    def set(self, switch: Switch) -> None:
        """Set the state of one switch, and store it."""
        self._journal.set_switch(switch)
        if self._keeper:
            self._keeper.write(switch)


class PauseControl:
    """Sets and clears the switch `api` on requests over HTTP."""

    def __init__(self, pod_switches: PodSwitches, journal: Journal, declaration: Declaration) -> None:
        self._pod_switches = pod_switches
        self._journal = journal
        self._declaration = declaration

    async def stop(self, reason: str | None) -> bool:
        """Pause by the switch `api`. Return True if the pause took effect within 8 s."""
        self._pod_switches.set(Switch(source=API, pauses=True, reason=reason))
        return await run_with_timeout(_STOP_SECONDS, self._wait_until_paused())

    async def start(self, start_request: StartRequest) -> tuple[str, ...]:
        """Clear the switch `api`, wait up to 1 s for the change to apply, and return the switches that still pause."""
        self._declaration.override(start_request)
        self._pod_switches.set(Switch(source=API, pauses=False))
        await run_with_timeout(_START_SECONDS, self._wait_until_switch_applies(pauses=False))
        return tuple(source for source in self._journal.desired.value.switches if source != API)

    def reload(self) -> None:
        self._declaration.reload()

    async def _wait_until_switch_applies(self, *, pauses: bool) -> None:
        """Wait until the desired state has, or no longer has, a pause by the switch `api`.

        Return immediately if the job has not been read or is deleted: it stays paused whatever the switch says.
        """
        desired = self._journal.desired
        while (API in desired.value.switches) != pauses and desired.value.pause not in (UNREAD, DELETED):
            await desired.wait_for_change(desired.version)

    async def _wait_until_paused(self) -> None:
        await self._wait_until_switch_applies(pauses=True)
        journal = self._journal
        while True:
            seen = (journal.desired, journal.desired.version), (journal.transitions, journal.transitions.version)
            if journal.snapshot().acknowledgement is not None:
                return
            await wait_for_any_change(*seen)
