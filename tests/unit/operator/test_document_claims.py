"""The documents that a job claims, and which of several jobs has precedence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_operator.domain import objects
from sluice_operator.domain.document_claims import DocumentClaims, DocumentConflict, document_claim
from sluice_operator.domain.objects import Job, Key

from .world import NOW, SYNTHETIC

PROJECT = "demo-sluice"


def job(name: str = "feed", age: float = 0.0, namespace: str = "acme", **spec: Any) -> Job:
    """Return a job with its own heartbeat document, created `age` seconds before NOW."""
    meta = {"namespace": namespace, "name": name, "uid": name, "generation": 1}
    made = {"creationTimestamp": (NOW - timedelta(seconds=age)).isoformat()}
    own = {"heartbeat": {"document": f"{name}_ingest"}}
    return objects.decode_job({"metadata": meta | made, "spec": SYNTHETIC | own | spec})


def claims(*jobs: Job) -> DocumentClaims:
    """Return the claims of the jobs, added in this order."""
    made = DocumentClaims()
    for each in jobs:
        made.replace_claim(each.key, document_claim(each, PROJECT))
    return made


def conflict(*jobs: Job) -> DocumentConflict | None:
    """Return the conflict of the last job, which must not depend on the order in which the jobs are added."""
    found = {claims(*order).find_conflict(jobs[-1].key) for order in (jobs, jobs[::-1])}
    assert len(found) == 1
    return found.pop()


def test_a_job_claims_its_heartbeat_its_quotes_and_its_bars() -> None:
    made = document_claim(job(channels=["quotes", "bars"]), PROJECT)
    assert made is not None
    place = (PROJECT, "(default)", "acme")
    assert made.documents == {
        (*place, "ops"): ("feed_ingest",),
        (*place, "live_quotes"): ("AAPL", "SPY"),
        (*place, "live_bars"): ("AAPL", "SPY"),
    }


def test_a_dry_run_claims_only_its_heartbeat() -> None:
    made = document_claim(job(dryRun=True, channels=["quotes", "bars"]), PROJECT)
    assert made is not None
    assert [collection for *_, collection in made.documents] == ["ops"]


def test_a_spec_that_cannot_be_read_claims_nothing() -> None:
    assert document_claim(job(symbols=["not a symbol"]), PROJECT) is None


def test_the_later_of_two_jobs_with_one_symbol_is_in_conflict() -> None:
    first, second = job("zz", age=9, symbols=["SPY", "MSFT"]), job("aa", age=8)
    assert conflict(first, second) == DocumentConflict(("acme", "zz"), "quotes", "SPY")
    assert conflict(second, first) is None


def test_two_jobs_created_in_one_second_are_ordered_by_name() -> None:
    assert conflict(job("aa"), job("bb")) == DocumentConflict(("acme", "aa"), "quotes", "AAPL")
    assert conflict(job("bb"), job("aa")) is None


def test_a_job_without_a_time_of_creation_comes_last() -> None:
    made = job("aa")
    timeless = msgspec.structs.replace(made, metadata=msgspec.structs.replace(made.metadata, creation_timestamp=None))
    assert conflict(job("bb"), timeless) is not None


def test_one_heartbeat_document_is_a_conflict_even_for_dry_runs() -> None:
    shared: dict[str, Any] = {"heartbeat": {"document": "market_ingest"}, "dryRun": True}
    found = conflict(job("aa", age=1, **shared), job("bb", **shared))
    assert found == DocumentConflict(("acme", "aa"), "heartbeat", "market_ingest")


def test_bars_are_shared_whatever_the_collection_of_the_quotes() -> None:
    other: dict[str, Any] = {"firestore": {"liveQuotesCollection": "other_quotes"}}
    first = job("aa", age=1, channels=["quotes", "bars"])
    assert conflict(first, job("bb", **other)) is None
    found = conflict(first, job("bb", channels=["quotes", "bars"], **other))
    assert found == DocumentConflict(("acme", "aa"), "bars", "AAPL")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"tenant": "globex"},
        {"firestore": {"projectID": "another-project"}},
        {"firestore": {"database": "another"}},
        {"firestore": {"liveQuotesCollection": "other_quotes"}},
        {"symbols": ["MSFT"]},
    ],
)
def test_documents_in_other_places_do_not_conflict(elsewhere: dict[str, Any]) -> None:
    assert conflict(job("aa", age=1), job("bb", **elsewhere)) is None


def test_a_job_that_names_the_default_project_is_in_the_default_project() -> None:
    assert conflict(job("aa", age=1), job("bb", firestore={"projectID": PROJECT})) is not None


def test_jobs_of_one_tenant_in_two_namespaces_conflict() -> None:
    assert conflict(job("aa", age=1), job("aa", namespace="acme-2")) is not None


def test_paused_jobs_and_paused_symbols_are_also_claimed() -> None:
    assert conflict(job("aa", age=1, enabled=False), job("bb")) is not None
    assert conflict(job("aa", age=1, pausedSymbols=[{"symbol": "SPY"}]), job("bb", symbols=["SPY"])) is not None


def test_the_earliest_of_several_jobs_is_named_even_if_it_is_in_conflict_itself() -> None:
    jobs = job("aa", age=3, symbols=["SPY"]), job("bb", age=2), job("cc", age=1, symbols=["AAPL"])
    assert conflict(*jobs) == DocumentConflict(("acme", "bb"), "quotes", "AAPL")
    wide = job("dd", symbols=["AAPL", "SPY"])
    assert conflict(*jobs, wide) == DocumentConflict(("acme", "aa"), "quotes", "SPY")


def replaced(made: DocumentClaims, name: str, age: float, *symbols: str) -> set[str]:
    """Replace the claim of a job, or remove it if no symbol is given. Return the names of the other jobs affected."""
    claim = document_claim(job(name, age=age, symbols=list(symbols)), PROJECT) if symbols else None
    return {affected for _, affected in made.replace_claim(("acme", name), claim)}


def test_a_change_affects_only_the_jobs_that_were_or_become_first_on_a_document() -> None:
    made = claims(job("aa", age=3), job("bb", age=2), job("cc", age=1), job("other", symbols=["MSFT"]))
    assert replaced(made, "aa", 3, "AAPL", "SPY") == set()  # no change
    assert replaced(made, "bb", 2, "SPY") == set()  # bb was first on nothing
    assert replaced(made, "aa", 3, "AAPL") == {"bb"}  # SPY: bb is first now; AAPL: still aa
    assert made.find_conflict(("acme", "bb")) is None
    assert replaced(made, "aa", 3) == {"cc"}
    assert replaced(made, "aa", 3, "AAPL", "SPY") == {"bb", "cc"}  # they were first
    assert replaced(made, "aa", 3, "MSFT") == {"bb", "cc", "other"}


def test_a_job_that_is_created_again_is_a_later_job() -> None:
    made = claims(job("aa", age=3), job("bb", age=2))
    assert replaced(made, "aa", 1, "AAPL", "SPY") == {"bb"}
    assert made.find_conflict(("acme", "aa")) == DocumentConflict(("acme", "bb"), "quotes", "AAPL")
    assert made.find_conflict(("acme", "bb")) is None


def test_a_job_whose_holder_is_gone_names_the_next_one() -> None:
    made = claims(job("aa", age=3), job("bb", age=2), job("cc", age=1))
    assert made.find_conflict(("acme", "cc")) == DocumentConflict(("acme", "aa"), "quotes", "AAPL")
    assert replaced(made, "aa", 3) == {"bb"}
    assert made.find_conflict(("acme", "cc")) == DocumentConflict(("acme", "bb"), "quotes", "AAPL")


def test_of_a_thousand_jobs_on_one_document_a_change_affects_one() -> None:
    same: dict[str, Any] = {"heartbeat": {"document": "market_ingest"}}
    jobs = [job(f"job-{n}", age=9999 - n, symbols=[f"S{n}"], **same) for n in range(1000)]
    made = claims(*jobs)
    for each in jobs[1:]:
        assert made.find_conflict(each.key) == DocumentConflict(("acme", "job-0"), "heartbeat", "market_ingest")
        assert made.replace_claim(each.key, None) == set()
        assert made.replace_claim(each.key, document_claim(each, PROJECT)) == set()
    assert made.replace_claim(jobs[0].key, None) == {jobs[1].key}


def test_deleted_jobs_are_forgotten() -> None:
    jobs = [job(f"job-{n}", age=n) for n in range(9)]
    made = claims(*jobs)
    for each in jobs:
        made.find_conflict(each.key)
        made.replace_claim(each.key, None)
    assert [kept for kept in vars(made).values() if isinstance(kept, dict)] == [{}] * 5


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 4), st.sets(st.sampled_from("ABCD")), st.integers(0, 3)), max_size=12))
def test_the_index_agrees_with_a_comparison_of_all_jobs(changes: list[tuple[int, set[str], int]]) -> None:
    made, current = DocumentClaims(), dict[Key, Job]()
    for number, symbols, age in changes:
        changed = job(f"job-{number}", age=age, symbols=sorted(symbols) or ["Z"])
        before = {key: conflict_by_comparison(current, key) for key in current}
        if symbols:
            current[changed.key] = changed
        else:
            current.pop(changed.key, None)
        affected = made.replace_claim(changed.key, document_claim(changed, PROJECT) if symbols else None)
        for key in current:
            expected = conflict_by_comparison(current, key)
            assert made.find_conflict(key) == expected
            if key != changed.key and (before[key] is None) != (expected is None):
                assert key in affected


def conflict_by_comparison(jobs: dict[Key, Job], key: Key) -> DocumentConflict | None:
    """Compare a job with all others: the oldest older job that shares a symbol."""
    mine = jobs[key]
    assert mine.spec is not None
    for other in sorted(jobs.values(), key=age_order):
        assert other.spec is not None
        if other.key == key:
            return None
        if shared := set(mine.spec.symbols) & set(other.spec.symbols):
            return DocumentConflict(other.key, "quotes", min(shared))
    return None


def age_order(each: Job) -> tuple[datetime, Key]:
    assert each.metadata.creation_timestamp is not None
    return each.metadata.creation_timestamp, each.key
