from sluice_cli.model.fleet import (
    Operator,
    StatusList,
    operator_of_lease,
    pause_view,
    sorted_by_urgency,
    summary_text,
)
from sluice_cli.model.job import status_of_job
from sluice_cli.model.switches import PauseView
from support.fake_kubectl import NOW, Object, condition, job, paused_job, stamp

BROKEN = job("broken", "beta", condition("Ready", "False", "Refused"), condition("Stalled", "True", "Refused"))


def statuses(*documents: Object, operator: Operator | None = None) -> StatusList:
    found = sorted_by_urgency(status_of_job(each, PauseView({}), NOW) for each in documents)
    return StatusList(NOW, found, operator, ())


def test_the_worst_is_first_and_the_counts_are_in_that_order() -> None:
    found = statuses(job("b"), paused_job("api", name="c"), BROKEN, job("a"))
    assert [each.name for each in found.jobs] == ["broken", "c", "a", "b"]
    assert found.counts == {"needsAction": 1, "paused": 1, "running": 2}
    assert summary_text(found.counts) == "4 jobs: 1 needs you, 1 paused, 2 running"
    assert summary_text({"needsAction": 2}) == "2 jobs: 2 need you"
    assert summary_text({"running": 1}) == "1 job: 1 running"


def test_a_paused_job_is_no_problem_and_a_stalled_one_is() -> None:
    assert not statuses(job(), paused_job("api")).has_problem
    assert statuses(BROKEN).has_problem


def test_an_operator_without_a_leader_is_a_problem() -> None:
    lease: Object = {
        "metadata": {"annotations": {"sluice.dev/operator-version": "0.2.0"}},
        "spec": {"holderIdentity": "sluice-operator-1_ab", "renewTime": stamp(-3), "leaseDurationSeconds": 15},
    }
    leading = operator_of_lease(lease, NOW)
    assert (leading.holder, leading.is_leading, leading.version) == ("sluice-operator-1", True, "0.2.0")
    assert not statuses(job(), operator=leading).has_problem
    lease["spec"]["renewTime"] = stamp(-31)
    assert statuses(job(), operator=operator_of_lease(lease, NOW)).has_problem
    assert not operator_of_lease({"spec": {"holderIdentity": "", "renewTime": stamp(-1)}}, NOW).is_leading


def test_a_clock_that_is_behind_is_noticed() -> None:
    ahead = job(heartbeat={"at": stamp(40)})
    assert statuses(ahead).clock_lag_seconds == 40
    assert statuses(job()).clock_lag_seconds == 0


def test_a_kind_that_may_not_be_listed_is_absent_and_one_that_is_not_served_is_empty() -> None:
    objects: dict[str, list[Object]] = {"IngestPause": [], "ClusterIngestPause": []}
    view = pause_view(objects, {"IngestPause": "you may not list them", "ClusterIngestPause": "not served"})
    assert set(view.by_kind) == {"ClusterIngestPause"}
    assert (view.knows("pause:x"), view.knows("clusterpause:x"), view.knows("api")) == (False, True, True)
