"""A histogram that costs little to update. It is converted to Prometheus' form when the metrics are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate


class Histogram:
    """Counts values by buckets. A bucket has the values up to its bound that no smaller bucket has.

    prometheus_client's own histogram takes three times as long for each value (docs/adr/0039-cheap-measurements.md).
    """

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are in ascending order. One more bucket has the values above the last of them."""
        self.sum = 0.0
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)

    @property
    def value_count(self) -> int:
        """The number of values."""
        return sum(self._counts)

    def observe(self, value: float, count: int = 1) -> None:
        """Count a value `count` times. A negative one counts as 0, so that the sum never decreases."""
        value = max(0.0, value)
        self._counts[bisect_left(self._bounds, value)] += count
        self.sum += value * count

    def cumulative_counts(self) -> Iterator[tuple[float, int]]:
        """Yield each bound, the last one infinite, with the number of values that are at most as large."""
        return zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True)
