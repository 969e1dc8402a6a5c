from sluice_operator.metrics import Metrics
from sluice_operator.ports import ClusterError


def lines(metrics: Metrics) -> set[str]:
    return set(metrics.encode_as_prometheus_text().decode().splitlines())


def test_each_count_is_in_the_text_of_a_scrape() -> None:
    metrics = Metrics()
    metrics.record_reconciliation(0.003, "settled")
    metrics.count_repairs("pods", 2)
    metrics.count_dropped_event()
    metrics.count_refused_kopf_write()
    metrics.set_undelivered_objects("pods", 3)
    metrics.count_live_reads("ingestjobs", 4)
    metrics.count_denial("sluice-pod-shape")
    metrics.loop_lag.set(0.5)
    assert lines(metrics) >= {
        'sluice_operator_reconcile_seconds_bucket{le="0.002"} 0.0',
        'sluice_operator_reconcile_seconds_bucket{le="0.005"} 1.0',
        'sluice_operator_reconciles_total{outcome="settled"} 1.0',
        'sluice_operator_resync_repairs_total{kind="pods"} 2.0',
        "sluice_operator_events_dropped_total 1.0",
        "sluice_operator_kopf_writes_refused_total 1.0",
        'sluice_operator_undelivered_objects{kind="pods"} 3.0',
        'sluice_operator_live_reads_total{kind="ingestjobs"} 4.0',
        'sluice_operator_denials_total{cause="sluice-pod-shape"} 1.0',
        "sluice_operator_loop_lag_seconds 0.5",
    }


def test_each_value_of_a_label_is_0_from_the_start() -> None:
    found = lines(Metrics())
    assert found >= {
        'sluice_operator_reconciles_total{outcome="settled"} 0.0',
        'sluice_operator_reconciles_total{outcome="Unavailable"} 0.0',
        'sluice_operator_resync_repairs_total{kind="ingestjobs"} 0.0',
        'sluice_operator_undelivered_objects{kind="clusteringestpauses"} 0.0',
        'sluice_operator_live_reads_total{kind="pods"} 0.0',
        'sluice_operator_denials_total{cause="PolicyDenied"} 0.0',
        'sluice_operator_denials_total{cause="sluice-pod-shape"} 0.0',
    }
    assert {type_.__name__ for type_ in ClusterError.__subclasses__()} <= {
        line.split('"')[1] for line in found if line.startswith("sluice_operator_reconciles_total")
    }


def test_the_process_and_the_build_have_metrics() -> None:
    found = lines(Metrics())
    assert any(line.startswith('sluice_operator_build_info{python="3') for line in found)
    assert any(line.startswith("process_resident_memory_bytes ") for line in found)


def test_text_is_added_after_the_registry_and_read_at_each_scrape() -> None:
    metrics, texts = Metrics(), iter([b"first\n", b"second\n"])
    metrics.add_text(lambda: [next(texts)])
    assert list(metrics.prometheus_text_parts())[1:] == [b"first\n"]
    assert metrics.encode_as_prometheus_text().endswith(b"second\n")


def test_a_gauge_asks_for_its_value_at_each_scrape() -> None:
    metrics, values = Metrics(), iter([1.0, 2.0])
    metrics.add_gauge("jobs", "The number of jobs.", lambda: next(values))
    assert "sluice_operator_jobs 1.0" in lines(metrics)
    assert "sluice_operator_jobs 2.0" in lines(metrics)


def test_a_shared_key_has_a_value_for_each_namespace_and_only_the_start_of_its_digest() -> None:
    metrics = Metrics()
    metrics.add_shared_keys(lambda: {"0123456789abcdef": ("acme", "other")})
    assert lines(metrics) >= {
        f'sluice_operator_key_shared{{key="0123456789ab",namespace="{namespace}"}} 1.0'
        for namespace in ("acme", "other")
    }


def test_a_gauge_by_kind_has_a_value_for_each_kind() -> None:
    metrics = Metrics()
    metrics.add_gauge_by_kind("kind_watched", "Whether a kind is watched.", lambda: {"ingestpauses": 0.0})
    assert 'sluice_operator_kind_watched{kind="ingestpauses"} 0.0' in lines(metrics)
