"""The pod's own switches: worked over HTTP or by a guardrail, and kept over a restart of the process."""

from __future__ import annotations

import msgspec

from ..domain.desired import DELETED, UNREAD
from ..domain.pause import API, Switch
from ..ports import Declaration, StartRequest, SwitchKeeper
from .journal import Journal
from .latest_value import any_changed
from .waiting import completes_within

# A socket closes within 2 s, a drain ends within 3: longer than both, and the caller is told the truth.
_STOP_SECONDS = 8.0
_START_SECONDS = 1.0


class Switchboard:
    """What they say: the journal knows it, and the keeper remembers it."""

    def __init__(self, journal: Journal, keeper: SwitchKeeper | None = None) -> None:
        self._journal = journal
        self._keeper = keeper

    def restore(self) -> None:
        """Takes up what was said before this process began."""
        try:
            for switch in self._keeper.read() if self._keeper else ():
                self._journal.switched(switch)
        except (OSError, msgspec.MsgspecError) as error:
            self._journal.check_failed(f"what the own switches said before the restart is lost: {error}")

    def set(self, switch: Switch) -> None:
        """One switch says something new."""
        self._journal.switched(switch)
        if self._keeper:
            self._keeper.keep(switch)


class Control:
    """The switch `api`."""

    def __init__(self, switchboard: Switchboard, journal: Journal, declaration: Declaration) -> None:
        self._switchboard = switchboard
        self._journal = journal
        self._declaration = declaration

    async def stop(self, reason: str | None) -> bool:
        """As Controls."""
        self._switchboard.set(Switch(source=API, pauses=True, reason=reason))
        return await completes_within(_STOP_SECONDS, self._paused())

    async def start(self, wishes: StartRequest) -> tuple[str, ...]:
        """As Controls."""
        self._declaration.override(wishes)
        self._switchboard.set(Switch(source=API, pauses=False))
        await completes_within(_START_SECONDS, self._heeded(pauses=False))
        return tuple(source for source in self._journal.desired.value.switches if source != API)

    def reload(self) -> None:
        """As Controls."""
        self._declaration.reload()

    async def _heeded(self, *, pauses: bool) -> None:
        """The aim knows of the switch. A job that was never read, or is gone, is paused whatever it says."""
        desired = self._journal.desired
        while (API in desired.value.switches) != pauses and desired.value.pause not in (UNREAD, DELETED):
            await desired.changed(desired.version)

    async def _paused(self) -> None:
        await self._heeded(pauses=True)
        journal = self._journal
        while True:
            seen = (journal.desired, journal.desired.version), (journal.transitions, journal.transitions.version)
            if journal.snapshot().acknowledgement is not None:
                return
            await any_changed(*seen)
