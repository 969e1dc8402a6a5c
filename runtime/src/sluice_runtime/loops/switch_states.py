"""The states of the switches outside the IngestJob, and the counters of the process."""

from __future__ import annotations

import logging

from ..domain.counters import Counters, increment
from ..domain.pause import Switch, with_switch
from .latest_value import LatestValue

_log = logging.getLogger(__name__)


class SwitchStates:
    """Holds the switches outside the IngestJob that pause the job now, and counts those that cannot be read."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.switches: LatestValue[tuple[Switch, ...]] = LatestValue(())

    def set_switch(self, switch: Switch) -> None:
        """Set the state of a switch outside the IngestJob."""
        self.switches.set(with_switch(self.switches.value, switch))

    def record_switch_failure(self, message: str) -> None:
        """Log and count that a switch cannot be read. Its last state stays in force."""
        increment(self.counters.errors, "pause_check")
        _log.warning("PAUSE_CHECK_FAILED: %s", message, extra={"event_type": "PAUSE_CHECK_FAILED"})
