"""Which symbols can become stale: those that tick often, and none whose gaps are longer than ten seconds."""

import pytest

from support.freshness_watch import Watch, tick_times


@pytest.mark.parametrize("median", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_symbol_with_a_tick_a_second_for_80_seconds_is_stale_within_200(
    median: float, spread: float, seed: int
) -> None:
    ticks = tick_times(median, spread, 80.0, seed)
    watch = Watch()
    watch.play(ticks, 80)
    assert watch.first_stale is None
    watch.play([], 200)
    assert watch.first_stale is not None
    assert watch.first_stale - 80 <= 200


@pytest.mark.parametrize("median", [10.5, 20.0])
@pytest.mark.parametrize("spread", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("seed", [2, 4])
def test_a_symbol_whose_median_gap_is_above_10_seconds_raises_nothing_in_two_hours(
    median: float, spread: float, seed: int
) -> None:
    watch = Watch()
    watch.play(tick_times(median, spread, 7200.0, seed), 7200)
    assert watch.first_stale is None


def test_a_thin_symbol_that_becomes_busy_for_80_seconds_and_then_falls_silent_is_stale() -> None:
    watch = Watch()
    watch.play([60.0 * at for at in range(30)], 1800)
    watch.play([1800.0 + at for at in range(80)], 80)
    assert watch.first_stale is None
    watch.play([], 200)
    assert watch.first_stale is not None


def test_a_symbol_with_a_tick_each_12_seconds_is_never_stale() -> None:
    watch = Watch()
    watch.play([float(at) for at in range(0, 600, 12)], 600)
    watch.play([], 7200)
    assert watch.first_stale is None
