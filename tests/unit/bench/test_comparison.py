"""The comparison of two runs: it finds changes, and calls nothing a change that is none."""

import random
from collections.abc import Sequence

import pytest

from bench.comparison import Change, compare


def turns(source: random.Random, middle: float, count: int = 20, noise: float = 0.03) -> list[float]:
    return [middle * source.gauss(1.0, noise) for _ in range(count)]


def runs(source: random.Random, between: float = 0.02) -> list[list[float]]:
    """Return five recorded runs whose medians vary by `between`."""
    return [turns(source, source.gauss(1.0, between)) for _ in range(5)]


def test_a_large_change_is_found_with_its_size_in_either_direction() -> None:
    source = random.Random(1)
    recorded = runs(source)
    worse = compare(turns(source, 1.3), recorded, higher_is_better=False)
    assert worse.is_worse
    assert worse.low < 1.3 < worse.high
    assert worse.cost == pytest.approx(1.3, rel=0.05)
    better = compare(turns(source, 0.7), recorded, higher_is_better=False)
    assert better.is_better
    assert not better.is_worse


def test_where_a_higher_figure_is_better_a_lower_one_is_worse() -> None:
    source = random.Random(2)
    recorded = runs(source)
    assert compare(turns(source, 0.7), recorded, higher_is_better=True).is_worse
    assert compare(turns(source, 1.3), recorded, higher_is_better=True).is_better


def test_runs_of_the_same_code_hardly_ever_differ() -> None:
    source = random.Random(3)
    found = 0
    for _ in range(40):
        recorded = runs(source)
        change = compare(turns(source, source.gauss(1.0, 0.02)), recorded, higher_is_better=False)
        found += change.is_worse or change.is_better
    assert found <= 4


def test_a_difference_as_large_as_that_between_recorded_runs_is_noise() -> None:
    source = random.Random(4)
    recorded = [turns(source, middle) for middle in (1.0, 1.1, 1.05)]
    assert not compare(turns(source, 1.1), recorded, higher_is_better=False).is_worse
    assert compare(turns(source, 1.1), recorded[:1], higher_is_better=False).is_worse


def test_the_same_figures_give_the_same_result() -> None:
    figures: Sequence[float] = [1.0, 1.1, 0.9]
    first, second = (compare(figures, [figures], higher_is_better=False) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(1.06, 1.03, 1.09), "worse by 6 % (3 to 9 %)"),
        (Change(0.94, 0.91, 0.97), "better by 6 % (3 to 9 %)"),
        (Change(1.01, 0.97, 1.04), "no difference found (noise 4 %)"),
    ],
)
def test_a_change_is_described_with_its_interval(change: Change, text: str) -> None:
    assert change.to_text() == text
