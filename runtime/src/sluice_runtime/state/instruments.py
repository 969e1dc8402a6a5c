"""What every part of the state uses: the clock, the counters, and the signal for immediate reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ..aio.latest_value import LatestValue
from ..domain.counters import Counters


class Transitions(LatestValue[int]):
    """Counts the changes that are reported immediately. Tasks can wait for the next one."""

    def __init__(self) -> None:
        super().__init__(0)

    def signal(self) -> None:
        """Trigger an immediate heartbeat and status report."""
        self.set(self.value + 1)


@dataclass(frozen=True)
class Instruments:
    """The clock, the counters and the transitions of one process. All parts of its state share them."""

    now: Callable[[], datetime]
    counters: Counters = field(default_factory=Counters)
    transitions: Transitions = field(default_factory=Transitions)
