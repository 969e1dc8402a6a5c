"""The pod's own switches, which outlive a restart of the process, and the requests to stop, start and reload."""

from __future__ import annotations

import logging

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.status import StreamState

from ..domain.desired import UNREAD, Desired, has_applied_switches, is_paused_whatever_switches_say
from ..domain.pause import API, Switch
from ..domain.reload_report import ReloadReport, effect_of_reload
from ..ports import Declaration, StartRequest
from ..switch_ports import SwitchFile, SwitchStore
from .journal import Journal
from .latest_value import wait_for_any_change
from .waiting import run_with_timeout

# A socket closes within 2 s and a drain ends within 3 s: this is longer than both, so the response is accurate.
_STOP_SECONDS = 8.0
# The loops apply a change at once; the limit is for a process that is starting or shutting down.
_APPLY_SECONDS = 1.0
# A response that waits longer for the provider would say no more than "Connecting" does.
_SETTLE_SECONDS = 1.0
_SETTLED_STATES: frozenset[StreamState] = frozenset({"Live", "Finished", "Blocked", "BackingOff"})

_log = logging.getLogger(__name__)


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
    """Carries out requests over HTTP and signals: operates the switch `api`, and reloads files.

    Each method waits until the runtime has applied the request, so that the status then shows the resulting state.
    """

    def __init__(
        self,
        pod_switches: PodSwitches,
        journal: Journal,
        declaration: Declaration,
        switch_file: SwitchFile | None = None,
    ) -> None:
        self._pod_switches = pod_switches
        self._journal = journal
        self._declaration = declaration
        self._switch_file = switch_file

    async def pause_job(self, reason: str | None) -> bool:
        """Pause the job by the switch `api`. Return True if the pause took effect within 8 s."""
        self._pod_switches.set_and_store(Switch(source=API, pauses=True, reason=reason))
        in_time = await run_with_timeout(_STOP_SECONDS, self._wait_until_applied_and_acknowledged())
        return in_time and self._journal.desired.value.pause is not None

    async def resume_job(self, start_request: StartRequest) -> tuple[str, ...]:
        """Apply the changes in the request and clear the switch `api`, and wait until the job resumes.

        Return the sources of the switches that still pause the job.
        """
        self._declaration.override_until_reload(start_request)
        self._pod_switches.set_and_store(Switch(source=API, pauses=False))
        await run_with_timeout(_APPLY_SECONDS, self._wait_until_applied())
        await run_with_timeout(_SETTLE_SECONDS, self._wait_until_settled())
        return tuple(source for source in self._journal.desired.value.switches if source != API)

    async def reload(self) -> ReloadReport:
        """Read the switch file and the files that declare the job now, and log what was read and what it caused.

        The switch file is read first, so that no problem of another file delays a stop.
        """
        before = self._journal.desired.value
        files = (*([self._switch_file.reload()] if self._switch_file else []), *self._declaration.reload())
        report = ReloadReport(files=files, effect=await self._apply_reload(before))
        _log.log(
            logging.WARNING if report.problems else logging.INFO,
            "%s",
            report.message,
            extra={"event_type": "reload", "files": msgspec.to_builtins(files), "effect": report.effect},
        )
        return report

    async def _apply_reload(self, before: Desired) -> str:
        """Wait until the files are applied, and have all documents written unless the job is paused.

        Return the effect, compared with the desired state `before` the reload.
        """
        journal = self._journal
        if not await run_with_timeout(_APPLY_SECONDS, self._wait_until_applied()):
            return f"not applied within {_APPLY_SECONDS:g} s; check the status"
        after = journal.desired.value
        if after.pause == UNREAD:
            return effect_of_reload(before, after)
        if after.pause is None:
            journal.documents.request_rewrite()
            journal.signal_transition()
            await run_with_timeout(_SETTLE_SECONDS, self._wait_until_settled())
        elif not await run_with_timeout(_STOP_SECONDS, self._wait_until_applied_and_acknowledged()):
            return f"{effect_of_reload(before, after)}, but the stream has not acknowledged it yet; check the status"
        return effect_of_reload(before, after)

    async def _wait_until_applied(self) -> None:
        """Wait until the desired state contains all switches and the newest declaration.

        Return immediately if the job has not been read or is deleted: it stays paused whatever the switches say.
        """
        desired, switches = self._journal.desired, self._journal.switches
        while not is_paused_whatever_switches_say(desired.value) and not (
            desired.value.generation >= self._declaration.generation
            and has_applied_switches(desired.value, switches.value)
        ):
            await desired.wait_for_change(desired.version)

    async def _wait_until_applied_and_acknowledged(self) -> None:
        """Wait until the desired state is applied, the socket is closed and the last quotes are written.

        Return early if the pause ends meanwhile.
        """
        await self._wait_until_applied()
        journal = self._journal
        while True:
            seen = (journal.desired, journal.desired.version), (journal.transitions, journal.transitions.version)
            if journal.snapshot().acknowledgement is not None or journal.desired.value.pause is None:
                return
            await wait_for_any_change(*seen)

    async def _wait_until_settled(self) -> None:
        """Wait until the attempt to connect has a result. Return immediately if the job is paused."""
        journal = self._journal
        while journal.desired.value.pause is None and journal.state not in _SETTLED_STATES:
            await journal.transitions.wait_for_change(journal.transitions.version)
