"""The interfaces between the switches that pause a job and the outside world."""

from __future__ import annotations

from typing import Protocol

from .domain.pause import Switch
from .domain.reload_report import FileReading


class SwitchListener(Protocol):
    """Receives the state of switches outside the job document."""

    def set_switch(self, switch: Switch) -> None:
        """Handle the state of a switch, which may be unchanged."""

    def record_switch_failure(self, message: str) -> None:
        """Handle that a switch cannot be read. Its last state stays in force. `message` says why."""


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
