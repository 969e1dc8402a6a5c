"""How often each symbol ticks, measured by observations at fixed intervals."""

from __future__ import annotations

import math
from collections.abc import Collection

import msgspec

OBSERVATION_SECONDS = 5.0  # between two observations
# The time constant of the moving average of a symbol's activity.
_MEMORY_SECONDS = 600.0
_WEIGHT = 1.0 - math.exp(-OBSERVATION_SECONDS / _MEMORY_SECONDS)
# The average is known after 60 observations, in five minutes: a thin symbol can be busy for a minute by chance.
_KNOWN_WEIGHT = 1.0 - math.exp(-59.5 * OBSERVATION_SECONDS / _MEMORY_SECONDS)
# A symbol that ticked in 13 of the last 16 observations is busy now, whatever its average.
_RECENT_OBSERVATIONS = 16
_BUSY_OBSERVATIONS = 13
_RECENT_MASK = (1 << _RECENT_OBSERVATIONS) - 1


class _Activity(msgspec.Struct):
    share: float = 0.0  # of observations with a tick, as a moving average that starts at 0
    weight: float = 0.0  # of all observations in that average: close to 1 after `_MEMORY_SECONDS`
    recent: int = 0  # the last 16 observations, one bit each
    pace_at_last_tick: float = math.inf


class SymbolPaces:
    """Measures the pace of each symbol: the number of seconds between two ticks, at least that of an observation."""

    def __init__(self) -> None:
        self._activities: dict[str, _Activity] = {}

    def retain_only(self, symbols: Collection[str]) -> None:
        """Forget all symbols that are not in `symbols`."""
        for symbol in self._activities.keys() - symbols:
            del self._activities[symbol]

    def clear(self) -> None:
        """Forget all symbols."""
        self._activities.clear()

    def record_observation(self, symbol: str, *, has_ticked: bool) -> None:
        """Record whether a symbol has ticked since the last observation. Those before its first tick do not count."""
        activity = self._activities.get(symbol)
        if activity is None:
            if not has_ticked:
                return
            activity = self._activities[symbol] = _Activity()
        activity.share += _WEIGHT * (has_ticked - activity.share)
        activity.weight += _WEIGHT * (1.0 - activity.weight)
        activity.recent = (activity.recent << 1 | has_ticked) & _RECENT_MASK
        if has_ticked:
            activity.pace_at_last_tick = _usual_pace(activity)

    def average_pace(self, symbol: str) -> float | None:
        """Return the average pace up to now, in which the last ten minutes count most; None before the first tick."""
        activity = self._activities.get(symbol)
        return OBSERVATION_SECONDS * activity.weight / activity.share if activity is not None else None

    def usual_pace(self, symbol: str) -> float:
        """Return the pace that the symbol had when it last ticked; infinite while that is unknown.

        A silence does not change it. It is the average, or that of the last 80 s in which the symbol was busy.
        """
        activity = self._activities.get(symbol)
        return activity.pace_at_last_tick if activity is not None else math.inf


def _usual_pace(activity: _Activity) -> float:
    recent_ticks = activity.recent.bit_count()
    average = OBSERVATION_SECONDS * activity.weight / activity.share if activity.weight >= _KNOWN_WEIGHT else math.inf
    if recent_ticks >= _BUSY_OBSERVATIONS:
        return min(average, OBSERVATION_SECONDS * _RECENT_OBSERVATIONS / recent_ticks)
    return average
