"""Whether a figure of this run differs from the recorded runs by more than chance.

A figure has the ratio of each turn, ours to a peer in the same turn, so the speed of the machine matters little. Turns
still vary, and runs of the same code vary more than their turns. Therefore the interval of the change is that of a
bootstrap over both: a resample takes turns of this run, and multiplies by the difference of two recorded runs. With one
recorded run, the interval has only the noise of its turns.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

RESAMPLES = 2000
# With 30 figures, a narrower interval would report a change that is none in most comparisons.
CONFIDENCE = 0.99
_SEED = 1


class Change(NamedTuple):
    """How many times as high the cost is as in the recorded runs, with its interval: above 1 is worse."""

    cost: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        """True if the cost has risen by more than chance."""
        return self.low > 1

    @property
    def is_better(self) -> bool:
        """True if the cost has fallen by more than chance."""
        return self.high < 1

    def to_text(self) -> str:
        """Return the change in words, such as `worse by 6 % (3 to 9 %)` or `no difference found (noise 4 %)`."""
        if self.is_worse:
            return f"worse by {_percent(self.cost)} % ({_percent(self.low)} to {_percent(self.high)} %)"
        if self.is_better:
            return f"better by {_percent(self.cost)} % ({_percent(self.high)} to {_percent(self.low)} %)"
        return f"no difference found (noise {max(_percent(self.low), _percent(self.high))} %)"


def compare(now: Sequence[float], recorded: Sequence[Sequence[float]], *, higher_is_better: bool) -> Change:
    """Compare the ratios of this run's turns with those of each recorded run. All ratios are positive."""
    source = random.Random(_SEED)

    def resampled_median(ratios: Sequence[float]) -> float:
        return median(source.choices(ratios, k=len(ratios)))

    def difference_of_two_recorded_runs() -> float:
        first, second = source.sample(recorded, 2) if len(recorded) > 1 else (recorded[0], recorded[0])
        return resampled_median(first) / resampled_median(second)

    usual = median(median(run) for run in recorded)
    cost = median(now) / usual
    costs = sorted(resampled_median(now) / usual * difference_of_two_recorded_runs() for _ in range(RESAMPLES))
    beyond = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    low, high = costs[beyond], costs[-1 - beyond]
    return Change(1 / cost, 1 / high, 1 / low) if higher_is_better else Change(cost, low, high)


def _percent(cost: float) -> int:
    return round(100 * abs(cost - 1))
