from prometheus_client.core import HistogramMetricFamily

from sluice_runtime.adapters.http.metric_families import add_histogram, counters_by_label, gauges_by_label
from sluice_runtime.domain.histogram import Histogram


def test_each_value_of_a_label_has_a_sample() -> None:
    for family in (counters_by_label("a", "b", "kind", {"x": 1, "y": 2}), gauges_by_label("a", "b", "kind", {"x": 1})):
        assert family.samples[0].labels == {"kind": "x"}
    assert [each.value for each in counters_by_label("a", "b", "kind", {"x": 1, "y": 2}).samples] == [1, 2]


def test_a_histogram_has_cumulative_buckets_a_sum_and_a_count() -> None:
    histogram, family = Histogram((0.5, 1.0)), HistogramMetricFamily("a", "b", labels=["kind"])
    histogram.observe(0.75, 2)
    add_histogram(family, histogram, ["x"])
    found = {(each.name, each.labels.get("le")): each.value for each in family.samples}
    assert found == {
        ("a_bucket", "0.5"): 0,
        ("a_bucket", "1.0"): 2,
        ("a_bucket", "+Inf"): 2,
        ("a_count", None): 2,
        ("a_sum", None): 1.5,
    }
