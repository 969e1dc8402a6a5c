"""The pod's own switches: set over HTTP or by auto-stop, and kept across restarts of the process."""

from __future__ import annotations

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error

from ..domain.desired import DELETED, UNREAD
from ..domain.pause import API, Switch
from ..ports import Declaration, StartRequest
from ..switch_ports import SwitchStore
from .journal import Journal
from .latest_value import wait_for_any_change
from .waiting import run_with_timeout

# A socket closes within 2 s and a drain ends within 3 s: this is longer than both, so the response is accurate.
_STOP_SECONDS = 8.0
_START_SECONDS = 1.0


class PodSwitches:
    """Sets the pod's own switches, and stores them across restarts of the process.

    Without a `store`, they last until the process ends.
    """

    def __init__(self, journal: Journal, store: SwitchStore | None = None) -> None:
        self._journal = journal
        self._store = store

    def restore(self) -> None:
        """Set the switches that an earlier process of this pod stored. A failure to read them is logged and counted."""
        try:
            for switch in self._store.read() if self._store else ():
                self._journal.set_switch(switch)
        except (OSError, msgspec.MsgspecError) as error:
            self._journal.record_switch_failure(
                f"the switches that were set over HTTP before the restart are lost; set them again "
                f"({explain_decoding_error(error) if isinstance(error, msgspec.MsgspecError) else error.strerror})"
            )

    def set_and_store(self, switch: Switch) -> None:
        """Set the state of one switch, and store it."""
        self._journal.set_switch(switch)
        if self._store:
            self._store.write(switch)


class PauseControl:
    """Sets and clears the switch `api` on requests over HTTP."""

    def __init__(self, pod_switches: PodSwitches, journal: Journal, declaration: Declaration) -> None:
        self._pod_switches = pod_switches
        self._journal = journal
        self._declaration = declaration

    async def pause_job(self, reason: str | None) -> bool:
        """Pause the job by the switch `api`. Return True if the pause took effect within 8 s."""
        self._pod_switches.set_and_store(Switch(source=API, pauses=True, reason=reason))
        return await run_with_timeout(_STOP_SECONDS, self._wait_until_pause_acknowledged())

    async def resume_job(self, start_request: StartRequest) -> tuple[str, ...]:
        """Apply the changes in the request and clear the switch `api`, and wait up to 1 s until the job resumes.

        Return the sources of the switches that still pause the job.
        """
        self._declaration.override_until_reload(start_request)
        self._pod_switches.set_and_store(Switch(source=API, pauses=False))
        await run_with_timeout(_START_SECONDS, self._wait_until_switch_applies(pauses=False))
        return tuple(source for source in self._journal.desired.value.switches if source != API)

    def reload(self) -> None:
        self._declaration.reload()
        self._journal.documents.request_rewrite()
        self._journal.signal_transition()

    async def _wait_until_switch_applies(self, *, pauses: bool) -> None:
        """Wait until the desired state has, or no longer has, a pause by the switch `api`.

        Return immediately if the job has not been read or is deleted: it stays paused whatever the switch says.
        """
        desired = self._journal.desired
        while (API in desired.value.switches) != pauses and desired.value.pause not in (UNREAD, DELETED):
            await desired.wait_for_change(desired.version)

    async def _wait_until_pause_acknowledged(self) -> None:
        await self._wait_until_switch_applies(pauses=True)
        journal = self._journal
        while True:
            seen = (journal.desired, journal.desired.version), (journal.transitions, journal.transitions.version)
            if journal.snapshot().acknowledgement is not None:
                return
            await wait_for_any_change(*seen)
