from sluice_operator.metrics import Metrics
from sluice_operator.rollout_metrics import RolloutCounts


def test_each_count_of_a_rollout_is_in_the_text_of_a_scrape_by_cause() -> None:
    metrics = Metrics()
    metrics.add_rollouts(lambda: {"Operator": RolloutCounts(5, 4, 3, 2, 1), "Spec": RolloutCounts()})
    assert set(metrics.encode_as_prometheus_text().decode().splitlines()) >= {
        'sluice_operator_rollout_pods_outdated{cause="Operator"} 5.0',
        'sluice_operator_rollout_jobs_in_progress{cause="Operator"} 4.0',
        'sluice_operator_rollout_jobs_unavailable{cause="Operator"} 3.0',
        'sluice_operator_rollout_jobs_overdue{cause="Operator"} 2.0',
        'sluice_operator_rollout_stopped{cause="Operator"} 1.0',
        'sluice_operator_rollout_stopped{cause="Spec"} 0.0',
    }
