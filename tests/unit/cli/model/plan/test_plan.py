from typing import Any

from sluice_cli.model.plan.plan import CHANGE, CREATE, UNCHANGED, Costs, Declared, Judgement, Plan, plans_of_documents
from sluice_cli.model.plan.policy_findings import PolicyView
from support.fake_kubectl import condition, job

NOTHING = PolicyView((), {})
NOT_JUDGED = Judgement()


def document(name: str = "us-equities", **spec: Any) -> dict[str, Any]:
    usual = {"tenant": "acme", "provider": "alpaca", "alpaca": {"feed": "iex"}, "symbols": ["SPY", "AAPL", "ON"]}
    return {"kind": "IngestJob", "metadata": {"namespace": "acme", "name": name}, "spec": usual | spec}


def plan(live: dict[str, Any] | None, judgement: Judgement = NOT_JUDGED, **spec: Any) -> Plan:
    declared = Declared(document(**spec), live, judgement)
    [found] = plans_of_documents([declared], [live] if live else [], NOTHING, Costs())
    return found


def test_a_new_job_is_created_and_the_same_document_changes_nothing() -> None:
    found = plan(None)
    assert (found.action, found.changes, found.has_problem, found.full_name) == (CREATE, (), False, "acme/us-equities")
    assert plan(job()).action == UNCHANGED


def test_a_cold_change_replaces_the_pod_of_a_job_that_streams() -> None:
    gap = {"cause": "restart", "from": "2026-11-27T10:00:00Z", "to": "2026-11-27T10:00:05Z"}
    found = plan(job(gaps=[gap]), alpaca={"feed": "sip"})
    assert (found.action, found.is_replaced, found.has_gap, found.gap_seconds) == (CHANGE, True, True, 5)
    assert plan(job(), alpaca={"feed": "sip"}).gap_seconds is None
    paused = plan(job(state="Paused"), alpaca={"feed": "sip"})
    assert (paused.is_replaced, paused.has_gap) == (True, False)
    assert plan(job(), symbols=["SPY"]).is_replaced is False


def test_the_result_of_the_api_server_counts_more_than_the_document() -> None:
    result = document(symbols=["IBM"])
    found = plan(job(), Judgement(result=result))
    assert found.changes[0].added == ("IBM",)


def test_an_object_of_an_earlier_version_lacks_fields_with_defaults() -> None:
    old = job()
    del old["spec"]["limits"], old["spec"]["enabled"]
    assert plan(old).action == UNCHANGED


def test_a_refusal_is_a_problem() -> None:
    found = plan(None, Judgement(refusal='The IngestJob "x" is invalid: spec.tenant: Required value'))
    assert (found.has_problem, found.is_refused) == (True, True)


def test_documents_are_compared_with_each_other_and_with_live_jobs() -> None:
    older = job("older")
    older["metadata"]["creationTimestamp"] = "2026-11-27T10:00:00Z"
    declared = [Declared(document(name, heartbeat={"document": name}), None, Judgement()) for name in ("a", "b")]
    first, second = plans_of_documents(declared, [older], NOTHING, Costs())
    assert "acme/older already writes" in first.findings[0].message
    assert {each.message.split()[0] for each in second.findings if each.topic == "conflict"} == {"acme/older", "acme/a"}


def test_a_job_that_is_twice_in_the_files_is_a_warning() -> None:
    declared = [Declared(document(), None, Judgement())] * 2
    found = plans_of_documents(declared, [], NOTHING, Costs())
    assert [each.findings[-1].topic for each in found] == ["file", "file"]


def test_a_stalled_job_stays_stalled_if_nothing_changes() -> None:
    stalled = job("us-equities", "acme", condition("Stalled", "True", "Refused", "Refused the key."))
    found = plan(stalled)
    assert (found.has_problem, found.findings[-1].message) == (True, "The job is Stalled (Refused): Refused the key.")
    changed = plan(stalled, alpaca={"feed": "sip"})
    assert (changed.has_problem, changed.findings[-1].level) == (False, "warning")
