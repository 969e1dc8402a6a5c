import math

import pytest

from sluice_runtime.domain.symbol_pace import SymbolPaces


def paces(*observations: bool) -> SymbolPaces:
    """Return the paces after these observations of symbol A."""
    made = SymbolPaces()
    for has_ticked in observations:
        made.record_observation("A", has_ticked=has_ticked)
    return made


def test_the_pace_is_unknown_before_the_first_tick() -> None:
    assert paces(*[False] * 20).average_pace("A") is None
    assert paces().usual_pace("A") == math.inf


def test_silence_before_the_first_tick_does_not_count() -> None:
    assert paces(*[False] * 200, *[True] * 16).average_pace("A") == pytest.approx(5)


def test_the_average_is_exact_from_the_first_minute_on() -> None:
    assert paces(*[True, False] * 8).average_pace("A") == pytest.approx(10, rel=0.05)
    assert paces(*[True, False, False, False] * 100).average_pace("A") == pytest.approx(20, rel=0.05)


def test_the_usual_pace_is_known_after_80_seconds_of_a_busy_symbol_and_after_5_minutes_of_any_other() -> None:
    assert paces(*[True] * 12).usual_pace("A") == math.inf
    assert paces(*[True] * 16).usual_pace("A") == pytest.approx(5)
    assert paces(*[True, False] * 25).usual_pace("A") == math.inf
    assert paces(*[True, False] * 31).usual_pace("A") == pytest.approx(10, rel=0.05)


def test_silence_changes_the_average_and_not_the_usual_pace() -> None:
    found = paces(*[True] * 16, *[False] * 40)
    assert found.average_pace("A") == pytest.approx(19, rel=0.1)
    assert found.usual_pace("A") == pytest.approx(5)


def test_a_thin_symbol_that_is_busy_for_80_seconds_has_the_pace_of_these() -> None:
    thin = [True, *[False] * 11] * 20
    assert paces(*thin, *[True] * 16).usual_pace("A") == pytest.approx(5)
    assert paces(*thin, *[True] * 8).usual_pace("A") > 20


def test_symbols_that_are_not_retained_are_forgotten() -> None:
    found = paces(*[True] * 16)
    found.retain_only({"A"})
    assert found.average_pace("A") is not None
    found.retain_only(set())
    assert found.average_pace("A") is None
    found = paces(*[True] * 16)
    found.clear()
    assert found.usual_pace("A") == math.inf
