"""The pace of a symbol counts only in the session in which it was observed."""

from datetime import UTC, datetime, timedelta

from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS, market_hours
from support.freshness_watch import Watch

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
    watch.see([], 100, session=LATE_SESSION)
    assert watch.states() == ["STALE", "QUIET"]


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
    assert watch.states() == ["QUIET", "QUIET"]
    assert not watch.judge.is_connection_silent(watch.last)
