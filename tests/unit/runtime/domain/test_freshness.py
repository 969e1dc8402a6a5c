"""Judging silence by each symbol's usual pace while its market is open."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_runtime.domain.freshness import (
    Freshness,
    FreshnessModel,
    SilenceReactionLimiter,
)
from sluice_runtime.domain.market_hours import (
    ALWAYS_OPEN,
    REGULAR_HOURS,
    UNKNOWN_HOURS,
    MarketHours,
    MarketState,
    market_hours,
)
from sluice_runtime.domain.symbol_pace import OBSERVATION_SECONDS
from support.freshness_watch import NAMES, Watch, scene


@pytest.fixture
def watch() -> Watch:
    """SPY had many ticks for an hour, and THIN had one."""
    made = Watch()
    made.see(["THIN"], OBSERVATION_SECONDS)
    made.see(["SPY"], 3600)
    return made


def test_a_symbol_with_ticks_is_live_and_one_with_few_ticks_is_quiet(watch: Watch) -> None:
    assert watch.states() == ["LIVE", "QUIET"]


def test_a_lively_symbol_that_falls_silent_is_quiet_and_then_stale_and_a_thin_one_never(watch: Watch) -> None:
    watch.see([], 50)
    assert watch.states() == ["QUIET", "QUIET"]
    watch.see([], 30)
    assert watch.states() == ["STALE", "QUIET"]
    watch.see([], 40_000)
    assert watch.states() == ["STALE", "QUIET"]
    assert watch.judge.quote_states_not_live(watch.last) == {"SPY": "stale"}
    watch.see(["SPY"], 5)
    assert watch.states() == ["LIVE", "QUIET"]
    assert watch.judge.quote_states_not_live(watch.last) == {}


def test_a_long_interval_allows_long_silence(watch: Watch) -> None:
    watch.see([], 290, interval_seconds=100.0)
    assert watch.states(["SPY"]) == ["LIVE"]
    watch.see([], 30, interval_seconds=100.0)
    assert watch.states(["SPY"]) == ["STALE"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"session": MarketState("closed")}, "CLOSED"),
        ({"session": MarketState("unknown")}, "QUIET"),
        ({"streaming": False}, "OFFLINE"),
        ({"subscribed": frozenset()}, "OFFLINE"),
        ({"halted": ("SPY",)}, "HALTED"),
        ({"paused": frozenset({"SPY"})}, "PAUSED"),
        ({"job_paused": True, "streaming": False}, "PAUSED"),
    ],
)
def test_silence_with_a_reason_does_not_make_a_symbol_stale(
    watch: Watch, changes: dict[str, Any], expected: Freshness
) -> None:
    watch.see([], 3600, **changes)
    assert watch.states(["SPY"]) == [expected]
    watch.see([], 50)
    assert watch.states(["SPY"]) == ["QUIET"]
    watch.see([], 100)
    assert watch.states(["SPY"]) == ["STALE"]


def test_a_symbol_with_ticks_is_live_while_its_market_is_closed(watch: Watch) -> None:
    watch.see(["SPY"], 60, session=MarketState("closed"))
    assert watch.states(["SPY"]) == ["LIVE"]


def test_the_counts_are_those_of_the_states(watch: Watch) -> None:
    watch.see([], 100)
    counts = watch.judge.summarize(["SPY", "THIN", "OFF"], watch.last).counts
    assert (counts.stale, counts.quiet, counts.live, counts.closed, counts.halted, counts.paused) == (1, 1, 0, 0, 0, 0)


def test_the_first_20_stale_and_halted_symbols_are_named_in_order(watch: Watch) -> None:
    stale, halted = (frozenset(f"{kind}{n:02}" for n in range(25)) for kind in ("STALE", "HALTED"))
    watch.see(stale | halted, 3600, subscribed=stale | halted)
    watch.see([], 100, subscribed=stale | halted, halted=halted)
    summary = watch.judge.summarize(stale | halted, watch.last)
    assert summary.stale == tuple(f"STALE{n:02}" for n in range(20))
    assert summary.halted == tuple(f"HALTED{n:02}" for n in range(20))
    assert (summary.counts.stale, summary.counts.halted, summary.session) == (25, 25, watch.last.session)


def test_the_pace_is_the_average_time_between_ticks_from_the_first_minute_on() -> None:
    watch = Watch()
    watch.see([], 60)
    assert watch.judge.pace_of("SPY") is None
    watch = Watch()
    for _ in range(12):
        watch.see(["SPY", "THIN"], OBSERVATION_SECONDS)
        watch.see(["SPY"], OBSERVATION_SECONDS)
    assert watch.judge.pace_of("SPY") == pytest.approx(5)
    assert watch.judge.pace_of("THIN") == pytest.approx(10, rel=0.05)


def test_a_symbol_that_is_forgotten_has_no_pace(watch: Watch) -> None:
    watch.judge.retain_only(frozenset({"THIN"}))
    assert watch.judge.pace_of("SPY") is None


def test_a_halted_symbol_s_document_says_halted_even_if_it_was_stale(watch: Watch) -> None:
    watch.see([], 100)
    assert watch.judge.quote_states_not_live(scene(watch.at, halted=("SPY",))) == {"SPY": "halted"}


def test_only_retained_symbols_are_remembered(watch: Watch) -> None:
    watch.see([], 100)
    watch.judge.retain_only(frozenset({"THIN"}))
    assert watch.judge.quote_states_not_live(watch.last) == {}


def test_a_connection_is_mute_when_all_is_silent_and_a_liquid_symbol_should_not_be(watch: Watch) -> None:
    watch.see([], 40, silent_seconds=40.0)
    assert not watch.judge.is_connection_silent(watch.last)
    watch.see([], 10, silent_seconds=50.0)
    assert watch.judge.is_connection_silent(watch.last)
    assert watch.states(["SPY"]) == ["QUIET"]


def test_a_connection_with_any_ticks_is_not_mute(watch: Watch) -> None:
    watch.see([], 300, silent_seconds=3.0)
    assert not watch.judge.is_connection_silent(watch.last)


@pytest.mark.parametrize("phase", ["closed", "unknown"])
def test_no_connection_is_mute_while_its_market_is_not_known_to_be_open(watch: Watch, phase: Any) -> None:
    watch.see([], 3600, session=MarketState(phase), silent_seconds=3600.0)
    assert not watch.judge.is_connection_silent(watch.last)


def test_a_connection_of_thin_symbols_only_is_never_mute() -> None:
    watch = Watch()
    watch.see(["THIN"], OBSERVATION_SECONDS)
    watch.see([], 3600, silent_seconds=3600.0)
    assert not watch.judge.is_connection_silent(watch.last)


def test_a_mute_connection_is_replaced_at_once_and_then_at_growing_intervals() -> None:
    reconnects = SilenceReactionLimiter()
    moments = [at for at in range(0, 10_000, 5) if reconnects.try_acquire(True, False, float(at))]
    assert moments == [0, 300, 900, 2100, 4500, 8100]


def test_after_a_replacement_that_helped_the_next_one_may_follow_after_two_minutes() -> None:
    reconnects = SilenceReactionLimiter()
    assert reconnects.try_acquire(True, False, 0.0)
    assert not reconnects.try_acquire(True, True, 119.0)
    assert reconnects.try_acquire(True, False, 120.0)
    assert not reconnects.try_acquire(True, False, 300.0)
    assert reconnects.try_acquire(True, False, 420.0)


def test_a_tick_resets_the_intervals_between_replacements() -> None:
    reconnects = SilenceReactionLimiter()
    assert reconnects.try_acquire(True, False, 0.0)
    assert reconnects.try_acquire(True, False, 300.0)
    assert not reconnects.try_acquire(False, True, 310.0)
    assert reconnects.try_acquire(True, False, 900.0)
    assert reconnects.try_acquire(True, False, 1200.0)


def test_a_confirmed_symbol_that_never_ticks_is_unheard_and_counted_and_named() -> None:
    watch = Watch()
    watch.see(["SPY"], 90)
    assert watch.states() == ["LIVE", "UNHEARD"]
    summary = watch.judge.summarize(NAMES, watch.last)
    assert (summary.counts.unheard, summary.counts.quiet, summary.unheard) == (1, 0, ("THIN",))
    assert (summary.received_count, summary.never_ticked_count) == (1, 0)
    watch.see(["SPY"], 3600)
    summary = watch.judge.summarize(NAMES, watch.last)
    assert (summary.never_ticked, summary.never_ticked_count) == (("THIN",), 1)
    watch.see(["THIN"], 5)
    assert watch.states() == ["LIVE", "LIVE"]
    assert watch.judge.summarize(NAMES, watch.last).received_count == 2


def test_a_symbol_that_has_just_ticked_counts_as_received() -> None:
    watch = Watch()
    watch.see([], 5)
    assert watch.judge.summarize(NAMES, watch.last, lambda symbol: symbol == "SPY").received_count == 1


class Week:
    """Monday to Sunday of Thanksgiving 2026, on a feed of the New York exchanges."""

    BEGINS = datetime(2026, 11, 23, tzinfo=UTC)
    MUTED_AT = datetime(2026, 11, 24, 17, tzinfo=UTC)
    SYMBOLS = frozenset({"SPY", "AAPL", "MUTED", "THIN"})

    def __init__(self, hours: MarketHours) -> None:
        self.hours = hours
        self.judge = FreshnessModel()
        self.alarms: list[tuple[datetime, str]] = []
        self.mute = 0
        self._random = random.Random(11)
        self._last_heard = 0.0

    def play(self) -> None:
        """Make all observations of the week; at night they are a minute apart, to make the test faster."""
        before: set[str] = set()
        at = 0.0
        while at < timedelta(days=7).total_seconds():
            moment = self.BEGINS + timedelta(seconds=at)
            heard = self._heard(moment)
            self._last_heard = at if heard else self._last_heard
            now = scene(at, session=self.hours(moment), subscribed=self.SYMBOLS, silent_seconds=at - self._last_heard)
            self.judge.record_observation(heard, now)
            stale = set(self.judge.quote_states_not_live(now))
            self.alarms += [(moment, symbol) for symbol in stale - before]
            before = stale
            self.mute += self.judge.is_connection_silent(now)
            at += OBSERVATION_SECONDS if heard else 60.0

    def _heard(self, moment: datetime) -> set[str]:
        if market_hours(REGULAR_HOURS)(moment).phase != "open":
            return set()
        means = {"SPY": 0.5, "AAPL": 2.0, "MUTED": 1.0, "THIN": 90.0}
        heard = {name for name, mean in means.items() if self._random.expovariate(1 / mean) < OBSERVATION_SECONDS}
        return heard - {"MUTED"} if moment >= self.MUTED_AT else heard


def test_a_thanksgiving_week_with_a_muted_and_an_illiquid_symbol_gives_exactly_one_alarm() -> None:
    week = Week(market_hours(REGULAR_HOURS))
    week.play()
    [(moment, symbol)] = week.alarms
    assert symbol == "MUTED"
    assert timedelta(seconds=50) <= moment - Week.MUTED_AT <= timedelta(seconds=120)
    assert week.mute == 0


def test_the_same_week_with_unknown_hours_raises_no_alarm() -> None:
    week = Week(market_hours(UNKNOWN_HOURS))
    week.play()
    assert (week.alarms, week.mute) == ([], 0)


def test_a_market_that_never_closes_raises_alarms_at_any_time() -> None:
    week = Week(market_hours(ALWAYS_OPEN))
    week.play()
    assert week.mute > 0
