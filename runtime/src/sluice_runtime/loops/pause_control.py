"""The pod's own switches, which outlive a restart of the process, and the requests to stop, start and reload."""

from __future__ import annotations

import logging

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.status import StreamState

from ..aio.latest_value import LatestValue, wait_for_any_change
from ..aio.waiting import run_with_timeout
from ..domain.desired import Desired, has_applied_switches, is_paused_whatever_switches_say, is_unread
from ..domain.pause import API, Switch, cut_reason
from ..domain.published_documents import PublishedDocuments
from ..domain.reload_report import ReloadReport, effect_of_reload
from ..ports import Declaration, StartRequest
from ..state.switch_states import SwitchStates
from ..switch_ports import SwitchFile, SwitchStore
from .stream_parts import StreamParts

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

    def __init__(self, switches: SwitchStates, store: SwitchStore | None = None) -> None:
        self._switches = switches
        self._store = store

    @property
    def states(self) -> LatestValue[tuple[Switch, ...]]:
        """The switches that pause the job now, including those of other sources."""
        return self._switches

    def restore(self) -> None:
        """Set the switches that an earlier process of this pod stored. A failure to read them is logged and counted."""
        try:
            for switch in self._store.read() if self._store else ():
                self._switches.set_switch(msgspec.structs.replace(switch, reason=cut_reason(switch.reason)))
        except (OSError, msgspec.MsgspecError) as error:
            self._switches.record_switch_failure(
                f"the switches that were set over HTTP before the restart are lost; set them again "
                f"({explain_decoding_error(error) if isinstance(error, msgspec.MsgspecError) else error.strerror})"
            )

    def set_and_store(self, switch: Switch) -> None:
        """Set the state of one switch, which a stop carries out at once, and then store it."""
        self._switches.set_switch(switch)
        if self._store:
            self._store.write(switch)


class PauseControl:
    """Carries out requests over HTTP and signals: operates the switch `api`, and reloads files.

    Each method waits until the runtime has applied the request, so that the status then shows the resulting state.
    """

    def __init__(
        self,
        pod_switches: PodSwitches,
        parts: StreamParts,
        documents: PublishedDocuments,
        declaration: Declaration,
        switch_file: SwitchFile | None = None,
    ) -> None:
        self._pod_switches = pod_switches
        self._desired = parts.desired
        self._stream = parts.stream
        self._transitions = parts.instruments.transitions
        self._documents = documents
        self._declaration = declaration
        self._switch_file = switch_file

    async def pause_job(self, reason: str | None) -> bool:
        """Pause the job by the switch `api`. Return True if the pause took effect within 8 s.

        A reason that is too long is cut, because nothing may refuse a stop.
        """
        self._pod_switches.set_and_store(Switch(source=API, pauses=True, reason=cut_reason(reason)))
        in_time = await run_with_timeout(_STOP_SECONDS, self._wait_until_applied_and_acknowledged())
        return in_time and self._desired.value.pause is not None

    async def resume_job(self, start_request: StartRequest) -> tuple[str, ...]:
        """Apply the changes in the request and clear the switch `api`, and wait until the job resumes.

        Return the sources of the switches that still pause the job.
        """
        self._declaration.override_until_reload(start_request)
        self._pod_switches.set_and_store(Switch(source=API, pauses=False))
        await run_with_timeout(_APPLY_SECONDS, self._wait_until_applied())
        await run_with_timeout(_SETTLE_SECONDS, self._wait_until_settled())
        return tuple(source for source in self._desired.value.switches if source != API)

    async def reload(self) -> ReloadReport:
        """Read the switch file and the files that declare the job now, and log what was read and what it caused.

        The switch file is read first, so that no problem of another file delays a stop.
        """
        before = self._desired.value
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
        if not await run_with_timeout(_APPLY_SECONDS, self._wait_until_applied()):
            return f"not applied within {_APPLY_SECONDS:g} s; check the status"
        after = self._desired.value
        if is_unread(after.pause):
            return effect_of_reload(before, after)
        if after.pause is None:
            self._documents.request_rewrite()
            self._transitions.signal()
            await run_with_timeout(_SETTLE_SECONDS, self._wait_until_settled())
        elif not await run_with_timeout(_STOP_SECONDS, self._wait_until_applied_and_acknowledged()):
            return f"{effect_of_reload(before, after)}, but the stream has not acknowledged it yet; check the status"
        return effect_of_reload(before, after)

    async def _wait_until_applied(self) -> None:
        """Wait until the desired state contains all switches and the newest declaration.

        Return immediately if the job has not been read or is deleted: it stays paused whatever the switches say.
        """
        desired, switches = self._desired, self._pod_switches.states
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
        while True:
            seen = (self._desired, self._desired.version), (self._transitions, self._transitions.version)
            if self._stream.acknowledgement is not None or self._desired.value.pause is None:
                return
            await wait_for_any_change(*seen)

    async def _wait_until_settled(self) -> None:
        """Wait until the attempt to connect has a result. Return immediately if the job is paused."""
        while self._desired.value.pause is None and self._stream.state not in _SETTLED_STATES:
            await self._transitions.wait_for_change(self._transitions.version)
