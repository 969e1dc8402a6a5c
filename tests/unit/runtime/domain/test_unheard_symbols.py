"""Symbols that are confirmed and never tick.

Also looked at: symbols that are added later, halted or paused ones, a feed that is silent as a whole, tapes and dates
without market hours, markets that never close, and thin symbols in extended hours.
"""

from collections.abc import Collection
from typing import Literal

from sluice_runtime.domain.symbol_pace import OBSERVATION_SECONDS
from sluice_runtime.domain.unheard_symbols import UnheardSymbols

BOTH = frozenset({"SPY", "FB"})


def watch(
    found: UnheardSymbols,
    seconds: float,
    *ticked: str,
    expected: Collection[str] = BOTH,
    market: Literal["main", "other", "closed"] = "main",
) -> UnheardSymbols:
    """Make observations for `seconds`, in each of which the symbols `ticked` had ticks.

    `market` is the session: one in which every symbol trades, another one, or none.
    """
    for _ in range(int(seconds / OBSERVATION_SECONDS)):
        found.record_observation(ticked, expected, is_market_open=market != "closed", is_main_session=market == "main")
    return found


def test_a_symbol_without_a_tick_is_unheard_after_90_seconds_of_an_open_market() -> None:
    assert not watch(UnheardSymbols(), 85, "SPY").is_unheard("FB")
    found = watch(UnheardSymbols(), 90, "SPY")
    assert (found.is_unheard("FB"), found.is_unheard("SPY")) == (True, False)
    assert (found.has_ticked("FB"), found.has_ticked("SPY")) == (False, True)


def test_a_symbol_is_also_unheard_if_others_tick_in_a_market_that_the_calendar_calls_closed() -> None:
    assert watch(UnheardSymbols(), 90, "SPY", market="closed").is_unheard("FB")
    assert not watch(UnheardSymbols(), 86_400, market="closed").is_unheard("FB")


def test_a_feed_that_has_never_delivered_anything_has_only_unheard_symbols() -> None:
    found = watch(UnheardSymbols(), 90)
    assert (found.is_unheard("FB"), found.is_unheard("SPY")) == (True, True)


def test_on_a_day_on_which_all_symbols_are_silent_none_of_them_is_unheard() -> None:
    found = watch(UnheardSymbols(), 60, "SPY", expected={"SPY"})
    watch(found, 300, expected={"SPY"})
    assert not watch(found, 20_000).is_unheard("FB")


def test_among_thin_symbols_too_an_hour_of_open_market_is_an_hour() -> None:
    found = UnheardSymbols()
    for _ in range(20):
        watch(found, 5, "SPY")
        watch(found, 175)
    assert found.has_never_ticked("FB")


def test_its_first_tick_ends_it_for_ever() -> None:
    found = watch(watch(UnheardSymbols(), 7200, "SPY"), 5, "FB")
    assert (found.is_unheard("FB"), found.has_never_ticked("FB")) == (False, False)
    assert not watch(found, 7200, "SPY").is_unheard("FB")


def test_halts_pauses_and_lost_connections_do_not_count() -> None:
    found = watch(UnheardSymbols(), 3600, "SPY", expected={"SPY"})
    assert not found.is_unheard("FB")
    assert not watch(UnheardSymbols(), 3600, expected=()).is_unheard("SPY")


def test_after_an_hour_of_open_market_a_symbol_has_never_ticked() -> None:
    assert not watch(UnheardSymbols(), 3595, "SPY").has_never_ticked("FB")
    assert watch(UnheardSymbols(), 3600, "SPY").has_never_ticked("FB")


def test_extended_hours_do_not_count_towards_that_hour() -> None:
    found = watch(UnheardSymbols(), 20_000, "SPY", market="other")
    assert (found.is_unheard("FB"), found.has_never_ticked("FB")) == (True, False)
    assert watch(found, 3600, "SPY").has_never_ticked("FB")


def test_a_removed_symbol_is_forgotten() -> None:
    found = watch(UnheardSymbols(), 3600, "SPY")
    found.retain_only(frozenset({"SPY"}))
    assert not found.is_unheard("FB")
    found.retain_only(frozenset())
    assert not found.has_ticked("SPY")
