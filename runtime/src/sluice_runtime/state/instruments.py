"""What every part of the state uses: the clock, the counters, the measurements, and the signal to report at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ..aio.latest_value import LatestValue
from ..domain.counters import Counters
from ..domain.measurements import Measurements


class Transitions(LatestValue[int]):
    """Counts the changes that are reported immediately. Tasks can wait for the next one."""

    def __init__(self) -> None:
        super().__init__(0)

    def signal(self) -> None:
        """Trigger an immediate heartbeat and status report."""
        self.set(self.value + 1)


@dataclass(frozen=True)
class Instruments:
    """The clock, the counters, the measurements and the transitions of one process, which its parts share."""

    now: Callable[[], datetime]
    counters: Counters = field(default_factory=Counters)
    measurements: Measurements = field(default_factory=Measurements)
    transitions: Transitions = field(default_factory=Transitions)
