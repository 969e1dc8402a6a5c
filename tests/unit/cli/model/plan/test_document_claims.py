"""The conflicts that a plan finds are those that the operator finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_cli.model.plan.document_claims import BARS, HEARTBEAT, QUOTES, conflicts_of, planned_job
from sluice_operator.domain import objects
from sluice_operator.domain.document_claims import DocumentClaims, document_claim

BORN = datetime(2026, 11, 27, tzinfo=UTC)


def document(name: str, age: int | None = 0, namespace: str = "acme", **spec: Any) -> dict[str, Any]:
    """Return a job that was created `age` seconds before BORN; None: it is new."""
    made = {} if age is None else {"creationTimestamp": f"{BORN - timedelta(seconds=age):%Y-%m-%dT%H:%M:%SZ}"}
    usual = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"], "heartbeat": {"document": name}}
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": name, "generation": 1} | made,
        "spec": usual | spec,
    }


def conflicts(*documents: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the conflicts of the last job."""
    jobs = [planned_job(each) for each in documents]
    return [tuple(each) for each in conflicts_of(jobs[-1], jobs)]


def test_a_new_job_conflicts_with_one_that_writes_its_documents() -> None:
    old = document("old", channels=["quotes", "bars"], symbols=["SPY", "QQQ"])
    new = document("new", None, channels=["quotes", "bars"], symbols=["IBM", "SPY"], heartbeat={"document": "old"})
    assert conflicts(old, new) == [
        ("acme/old", True, BARS, "", ("SPY",), False),
        ("acme/old", True, HEARTBEAT, "old", (), False),
        ("acme/old", True, QUOTES, "live_quotes", ("SPY",), False),
    ]


def test_other_places_and_dry_runs_do_not_conflict() -> None:
    new = document("new", None)
    others = (
        document("a", tenant="beta"),
        document("b", firestore={"liveQuotesCollection": "other"}),
        document("c", firestore={"database": "second"}),
        document("d", dryRun=True),
        document("e", symbols=["QQQ"]),
    )
    assert conflicts(*others, new) == []


def test_a_project_that_only_one_job_names_may_be_the_same() -> None:
    named = document("old", firestore={"projectID": "acme-prod"})
    assert [each[-1] for each in conflicts(named, document("new", None))] == [True]
    other = document("new", None, firestore={"projectID": "acme-test"})
    assert conflicts(named, other) == []


JOBS: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        age=st.integers(0, 2),
        tenant=st.sampled_from(["acme", "beta"]),
        symbols=st.lists(st.sampled_from("ABCD"), min_size=1, unique=True),
        channels=st.sampled_from([["quotes"], ["quotes", "bars"]]),
        dryRun=st.booleans(),
        heartbeat=st.fixed_dictionaries({"document": st.sampled_from(["x", "y", "z"])}),
        firestore=st.fixed_dictionaries({"liveQuotesCollection": st.sampled_from(["q", "r"])}),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(JOBS)
def test_the_operator_stalls_the_same_jobs_because_of_the_same_older_job(specs: list[dict[str, Any]]) -> None:
    documents = [document(f"job{number}", **each) for number, each in enumerate(specs)]
    claims = DocumentClaims()
    for each in documents:
        job = objects.decode_job(each)
        claims.replace_claim(job.key, document_claim(job, "demo-sluice"))
    planned = [planned_job(each) for each in documents]
    places = {each.full_name: each.place for each in planned}
    for one in planned:
        older = [each.other for each in conflicts_of(one, planned) if each.is_other_older]
        found = claims.find_conflict((one.namespace, one.name))
        expected = "/".join(found.holder) if found is not None else None
        assert min(older, key=lambda each: places[each], default=None) == expected
