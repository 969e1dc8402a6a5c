"""The states of the switches outside the IngestJob."""

from __future__ import annotations

import logging

from ..aio.latest_value import LatestValue
from ..domain.counters import Counters, increment
from ..domain.pause import Switch, with_switch

_log = logging.getLogger(__name__)


class SwitchStates(LatestValue[tuple[Switch, ...]]):
    """The switches outside the IngestJob that pause the job now. Counts those that cannot be read."""

    def __init__(self, counters: Counters) -> None:
        super().__init__(())
        self._counters = counters

    def set_switch(self, switch: Switch) -> None:
        """Set the state of a switch outside the IngestJob."""
        self.set(with_switch(self.value, switch))

    def record_switch_failure(self, message: str) -> None:
        """Log and count that a switch cannot be read. Its last state stays in force."""
        increment(self._counters.errors, "pause_check")
        _log.warning("PAUSE_CHECK_FAILED: %s", message, extra={"event_type": "PAUSE_CHECK_FAILED"})
