"""A freshness model that gets one observation after the other."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable
from typing import Any

from sluice_runtime.domain.freshness import Freshness, FreshnessInput, FreshnessModel
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.domain.symbol_pace import OBSERVATION_SECONDS

NAMES = frozenset({"SPY", "THIN"})


def scene(at: float, **changes: Any) -> FreshnessInput:
    """Return the inputs of one observation of an open market without halts, with other values for some fields."""
    fields: dict[str, Any] = {
        "at": at,
        "session": MarketState("open"),
        "streaming": True,
        "job_paused": False,
        "paused": frozenset(),
        "subscribed": NAMES,
        "halted": (),
        "interval_seconds": 1.0,
        "silent_seconds": 0.0,
    }
    return FreshnessInput(**(fields | changes))


def tick_times(median: float, spread: float, seconds: float, seed: int) -> list[float]:
    """Return the times of ticks whose gaps are log-normal with this median; `spread` is the sigma of the logarithm."""
    rng, at, found = random.Random(seed), 0.0, []
    while at < seconds:
        found.append(at)
        at += rng.lognormvariate(math.log(median), spread)
    return found


class Watch:
    """A freshness model that gets one observation after the other."""

    first_stale: float | None = None

    def __init__(self) -> None:
        self.judge = FreshnessModel()
        self.at = 0.0
        self.last = scene(0.0)

    def see(self, heard: Collection[str], seconds: float, **changes: Any) -> None:
        """Repeat an observation in which the symbols `heard` had ticks, for `seconds`."""
        for _ in range(int(seconds / OBSERVATION_SECONDS)):
            self.at += OBSERVATION_SECONDS
            self.last = scene(self.at, **changes)
            self.judge.record_observation(heard, self.last)

    def play(self, ticks: list[float], seconds: float) -> None:
        """Observe SPY, which ticks at these times, for `seconds`, and remember when it first becomes stale."""
        heard, ends = {int(at // OBSERVATION_SECONDS) for at in ticks}, self.at + seconds
        while self.at < ends:
            self.see(["SPY"] if int(self.at // OBSERVATION_SECONDS) in heard else [], OBSERVATION_SECONDS)
            if self.first_stale is None and self.states(["SPY"]) == ["STALE"]:
                self.first_stale = self.at

    def states(self, symbols: Iterable[str] = ("SPY", "THIN")) -> list[Freshness]:
        """Return the freshness of each symbol at the last observation."""
        return [self.judge.freshness_of(symbol, self.last) for symbol in symbols]
