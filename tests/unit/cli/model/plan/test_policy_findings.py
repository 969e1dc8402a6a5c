from typing import Any

from sluice_cli.model.plan.document_claims import planned_job
from sluice_cli.model.plan.policy_findings import PolicyView, caps_of_job, policy_findings, tenant_findings
from sluice_cli.model.plan.write_costs import Caps

LABELS = {"acme": {"sluice.dev/tenant": "acme"}}


def policy(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"namespaceSelector": {}, **spec}}


def job(name: str = "feed", policy_status: dict[str, Any] | None = None, **spec: Any) -> Any:
    usual = {"tenant": "acme", "provider": "synthetic", "symbols": ["A", "B", "C"]}
    status = {"policy": policy_status} if policy_status else {}
    return planned_job({"metadata": {"namespace": "acme", "name": name}, "spec": usual | spec, "status": status})


def levels(found: list[Any]) -> list[tuple[str, str]]:
    return [(each.level, each.message) for each in found]


def test_a_denial_is_a_problem_and_a_cap_is_a_note() -> None:
    view = PolicyView((policy("few", perJob={"symbols": 2}),), LABELS)
    [found] = policy_findings(job(), [job()], view)
    assert (found.level, found.message.startswith("spec.symbols has 3 symbols")) == ("problem", True)
    view = PolicyView((policy("caps", perJob={"writesPerSecond": 5, "writesPerDay": 30_000}, dryRun=True),), LABELS)
    assert levels(policy_findings(job(), [job()], view)) == [
        ("note", "spec.limits.writesPerSecond is 20, and IngestPolicy caps lowers it to 5."),
        ("note", "spec.limits.writesPerDay is absent, and IngestPolicy caps lowers it to 30000."),
        ("warning", "IngestPolicy caps forces a dry run: the job writes no quotes."),
    ]
    assert caps_of_job(job(), [job()], view) == Caps(5, 30_000, dry_run=True, source="caps")


def test_a_policy_that_warns_has_no_effect_yet() -> None:
    view = PolicyView((policy("few", mode="Warn", perJob={"symbols": 2, "writesPerSecond": 1}),), LABELS)
    [found] = policy_findings(job(), [job()], view)
    assert (found.level, found.message[:38]) == ("warning", "If IngestPolicy few is enforced: spec.")
    assert caps_of_job(job(), [job()], view) == Caps()


def test_the_status_of_jobs_is_used_where_policies_are_not_visible() -> None:
    reported = {"names": ["caps"], "writesPerSecond": 5, "dryRun": True}
    jobs = [job(), job("old", reported)]
    assert caps_of_job(jobs[0], jobs, PolicyView(None, LABELS)) == Caps(5, None, dry_run=True, source="caps")
    assert policy_findings(jobs[0], jobs, PolicyView(None, LABELS)) == []


def test_the_names_that_jobs_report_are_used_where_labels_are_not_visible() -> None:
    view = PolicyView((policy("few", perJob={"symbols": 2}), policy("other", providers=[])), {})
    jobs = [job(), job("old", {"names": ["few"]})]
    [found] = policy_findings(jobs[0], jobs, view)
    assert "IngestPolicy few allows 2" in found.message
    assert policy_findings(job(), [job()], view) == []


def test_a_namespace_of_another_tenant_is_a_problem() -> None:
    view = PolicyView((), LABELS)
    [found] = tenant_findings(job(tenant="beta"), view)
    assert found.message == "Namespace acme serves tenant acme (label sluice.dev/tenant), and spec.tenant is beta."
    assert tenant_findings(job(), view) == []
    assert tenant_findings(job(tenant="beta"), PolicyView((), {})) == []
