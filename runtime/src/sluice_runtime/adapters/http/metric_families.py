"""Metrics with one label, in prometheus_client's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isinf
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from ...domain.histogram import Histogram

_Value = TypeVar("_Value", bound=str)


def counters_by_label(name: str, description: str, label: str, values: Mapping[_Value, float]) -> CounterMetricFamily:
    """Return a counter for each value of the label."""
    family = CounterMetricFamily(name, description, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def gauges_by_label(name: str, description: str, label: str, values: Mapping[_Value, float]) -> GaugeMetricFamily:
    """Return a gauge for each value of the label."""
    family = GaugeMetricFamily(name, description, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def add_histogram(family: HistogramMetricFamily, histogram: Histogram, labels: Sequence[str] = ()) -> None:
    """Add a histogram with these values of the labels."""
    counts = histogram.cumulative_counts()
    buckets = [("+Inf" if isinf(bound) else str(bound), float(count)) for bound, count in counts]
    family.add_metric(labels, buckets, histogram.sum)
