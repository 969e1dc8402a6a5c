from typing import Any

from sluice_cli.model.plan.conflict_findings import conflict_findings, slot_findings
from sluice_cli.model.plan.document_claims import planned_job


def job(name: str, created: str = "2026-11-27T10:00:00Z", **spec: Any) -> Any:
    usual = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"], "heartbeat": {"document": name}}
    metadata = {"namespace": "acme", "name": name, "creationTimestamp": created}
    return planned_job({"metadata": metadata, "spec": usual | spec})


def test_an_older_job_is_a_problem_and_a_newer_one_a_warning() -> None:
    new, old = job("new", ""), job("old")
    [found] = conflict_findings(new, [new, old])
    assert (found.level, found.message) == (
        "problem", "acme/old already writes SPY to live_quotes: this job would be Stalled (DocumentConflict).",
    )  # fmt: skip
    [found] = conflict_findings(old, [new, old])
    assert (found.level, found.message) == (
        "warning", "acme/new writes SPY to live_quotes too, and is newer: it would be Stalled (DocumentConflict).",
    )  # fmt: skip


def test_heartbeats_bars_and_long_lists_are_named() -> None:
    both: dict[str, Any] = {"channels": ["quotes", "bars"], "symbols": list("ABCDE"), "heartbeat": {"document": "h"}}
    new = job("new", "", **both)
    messages = [each.message.partition(": ")[0] for each in conflict_findings(new, [new, job("old", **both)])]
    assert messages == [
        "acme/old already writes the bars of A, B, C and 2 more",
        "acme/old already writes the heartbeat document h",
        "acme/old already writes A, B, C and 2 more to live_quotes",
    ]


def test_more_conflicts_are_counted_and_the_default_project_may_be_the_same() -> None:
    new = job("new", "")
    found = conflict_findings(new, [new, *(job(f"old{number}") for number in range(5))])
    assert len(found) == 3
    assert found[-1].message.endswith("; and 2 more of these.")
    named = job("named", firestore={"projectID": "acme-prod"})
    [maybe] = conflict_findings(new, [named])
    assert (maybe.level, "default" in maybe.message) == ("warning", True)


def test_a_connection_of_another_job_is_a_warning() -> None:
    alpaca: dict[str, Any] = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}}}
    new, other = job("new", "", **alpaca), job("other", **alpaca)
    [found] = slot_findings(new, [new, other])
    assert (found.level, "uses the same connection" in found.message) == ("warning", True)
    slot = {"status": {"stream": {"slot": {"acquired": True}}}}
    holder = other._replace(document={**other.document, **slot})
    [found] = slot_findings(new, [new, holder])
    assert found.message == (
        "acme/other holds the one connection that the provider allows: this job would wait for it (HeldBy)."
    )
    assert slot_findings(holder, [holder, new]) == []
