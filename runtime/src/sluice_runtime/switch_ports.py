"""The interfaces between the switches that pause a job and the outside world."""

from __future__ import annotations

from typing import Protocol

from .domain.pause import Switch
from .domain.pause_objects import KnownPauses, PausesOfKind
from .domain.reload_report import FileReading


class SwitchListener(Protocol):
    """Receives the state of switches outside the job document."""

    def set_switch(self, switch: Switch) -> None:
        """Handle the state of a switch, which may be unchanged."""

    def record_switch_failure(self, message: str) -> None:
        """Handle that a switch cannot be read. Its last state stays in force. `message` says why."""


class PauseListener(Protocol):
    """Receives the pause objects that can concern the job. A kind is named by its plural, such as `ingestpauses`."""

    def set_pauses(self, resource: str, pauses: PausesOfKind) -> None:
        """Handle the pause objects of a kind, which may be unchanged."""

    def record_unreadable_pauses(self, resource: str, message: str) -> None:
        """Handle that the pod may not read a kind. Its last pauses stay in force. `message` says why."""


class PauseStore(Protocol):
    """Stores the pause objects that the pod has read, so that they outlive a restart of the process."""

    def read(self) -> KnownPauses | None:
        """Return the stored pauses; None if there are none that can be read. Never raises."""

    def write(self, pauses: KnownPauses) -> None:
        """Store the pauses. Never raises."""


class SwitchFile(Protocol):
    """The file of a switch, which is polled."""

    def reload(self) -> FileReading:
        """Read the file now, and pass the state of the switch to the listener. Never raises: see `FileReading`."""


class SwitchStore(Protocol):
    """Stores the pauses that the pod itself imposed (`api`, `autoStop`), so that they outlive a restart."""

    def read(self) -> tuple[Switch, ...]:
        """Return the switches that paused the job when the last process ended.

        Raises:
            OSError, msgspec.MsgspecError: the stored switches cannot be read.
        """

    def write(self, switch: Switch) -> None:
        """Store the state of one switch. Never raises."""
