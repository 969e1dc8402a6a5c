"""The pace of a symbol counts only in the session in which it was observed."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sluice_runtime.domain.freshness import FreshnessModel
from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS, market_hours
from sluice_runtime.domain.symbol_pace import OBSERVATION_SECONDS
from support.freshness_watch import Watch, scene

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
REGULAR_SESSION, LATE_SESSION, NEXT_REGULAR_SESSION = (
    market_hours(REGULAR_AND_EXTENDED_HOURS)(MONDAY + timedelta(hours=hours)) for hours in (15, 21, 39)
)


def test_a_symbol_that_is_busy_in_regular_hours_is_not_stale_in_extended_hours() -> None:
    watch = Watch()
    watch.see(["SPY", "THIN"], 3600, session=REGULAR_SESSION)
    watch.see([], 4 * 3600, session=LATE_SESSION, silent_seconds=4 * 3600.0)
    assert watch.states() == ["QUIET", "QUIET"]
    assert watch.judge.pace_of("SPY") is None
    assert not watch.judge.is_connection_silent(watch.last)


def test_a_symbol_that_is_busy_in_extended_hours_and_falls_silent_there_is_stale() -> None:
    watch = Watch()
    watch.see(["SPY"], 3600, session=REGULAR_SESSION)
    watch.see(["SPY"], 3600, session=LATE_SESSION)
    watch.see([], 145, session=LATE_SESSION)
    assert watch.states(["SPY"]) == ["QUIET"]
    watch.see([], 30, session=LATE_SESSION)
    assert watch.states(["SPY"]) == ["STALE"]


def test_a_symbol_that_is_stale_when_its_session_ends_stays_stale_until_its_next_tick() -> None:
    watch = Watch()
    watch.see(["SPY"], 3600, session=REGULAR_SESSION)
    watch.see([], 100, session=REGULAR_SESSION)
    watch.see([], 3600, session=LATE_SESSION)
    assert watch.states(["SPY"]) == ["STALE"]
    watch.see(["SPY"], 5, session=LATE_SESSION)
    assert watch.states(["SPY"]) == ["LIVE"]


def test_on_a_day_on_which_the_exchanges_stay_closed_no_symbol_is_stale() -> None:
    """Neither the calendar nor the provider knows of the closure, and the day before was an ordinary one."""
    watch = Watch()
    watch.see(["SPY"], 3600, session=REGULAR_SESSION)
    watch.see([], 6 * 3600, session=NEXT_REGULAR_SESSION, silent_seconds=6 * 3600.0)
    assert watch.states(["SPY"]) == ["QUIET"]
    assert not watch.judge.is_connection_silent(watch.last)


def test_while_a_market_is_presumed_closed_no_symbol_is_stale_and_documents_stay_stale() -> None:
    watch = Watch()
    watch.see(["SPY"], 3600, session=REGULAR_SESSION)
    watch.see([], 600, session=REGULAR_SESSION)
    assert watch.states(["SPY"]) == ["STALE"]
    presumed_closed = msgspec.structs.replace(REGULAR_SESSION, quotes_since=None, is_presumed_closed=True)
    watch.see([], 3600, session=presumed_closed)
    assert watch.states(["SPY"]) == ["QUIET"]
    assert watch.judge.quote_states_not_live(watch.last) == {"SPY": "stale"}


class Day:
    """A trading day from 04:00 to 20:00 in New York, with symbols whose mean gap in regular hours is 0.2 to 120 s.

    Before the opening they are 20 to 200 times slower, and after the close they halve their pace every 8 minutes.
    """

    BEGINS = datetime(2026, 11, 23, 9, tzinfo=UTC)
    GAPS = {f"S{gap}": gap for gap in (0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 120.0)}  # noqa: RUF012

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._next_ticks = dict.fromkeys(self.GAPS, 0.0)

    def alarms(self) -> list[tuple[str, str]]:
        """Make all observations of the day. Return each symbol that becomes stale, with the time."""
        hours, model, found = market_hours(REGULAR_AND_EXTENDED_HOURS), FreshnessModel(), []
        before: set[str] = set()
        for count in range(1, int(16 * 3600 / OBSERVATION_SECONDS)):
            seconds = count * OBSERVATION_SECONDS
            moment = self.BEGINS + timedelta(seconds=seconds)
            inputs = scene(seconds, session=hours(moment), subscribed=frozenset(self.GAPS))
            model.record_observation({symbol for symbol in self.GAPS if self._has_ticked(symbol, seconds)}, inputs)
            stale = set(model.quote_states_not_live(inputs))
            found += [(symbol, moment.isoformat()) for symbol in stale - before]
            before = stale
        return found

    def _has_ticked(self, symbol: str, seconds: float) -> bool:
        ticked = False
        while self._next_ticks[symbol] <= seconds:
            gap = self.GAPS[symbol] * self._slowness(self._next_ticks[symbol] / 3600)
            self._next_ticks[symbol] += self._random.expovariate(1 / gap)
            ticked = True
        return ticked

    @staticmethod
    def _slowness(hours: float) -> float:
        """Return how much longer gaps are than in regular hours, `hours` after 04:00."""
        if hours < 5.5:
            return 20.0 if hours > 3 else 200.0
        return min(400.0, 2.0 ** ((hours - 12) * 60 / 8)) if hours >= 12 else 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_no_symbol_is_stale_on_a_day_whose_extended_hours_are_thin(seed: int) -> None:
    assert Day(seed).alarms() == []
