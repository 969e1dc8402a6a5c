import pytest

from sluice_runtime.domain.histogram import Histogram


def test_a_value_is_in_the_first_bucket_whose_bound_it_does_not_exceed() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.5):
        histogram.observe(value)
    assert list(histogram.cumulative_counts()) == [(1.0, 2), (2.0, 3), (float("inf"), 4)]
    assert (histogram.value_count, histogram.sum) == (4, 5.5)


def test_a_value_can_be_counted_several_times() -> None:
    histogram = Histogram((1.0,))
    histogram.observe(0.5, 10)
    assert (histogram.value_count, histogram.sum) == (10, 5.0)


@pytest.mark.parametrize("value", [-3.0, 0.0])
def test_a_negative_value_counts_as_0(value: float) -> None:
    histogram = Histogram((1.0,))
    histogram.observe(value)
    assert (next(iter(histogram.cumulative_counts())), histogram.sum) == ((1.0, 1), 0.0)


def test_every_bucket_is_there_before_the_first_value() -> None:
    assert list(Histogram((1.0,)).cumulative_counts()) == [(1.0, 0), (float("inf"), 0)]
