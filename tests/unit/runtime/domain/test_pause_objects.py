from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sluice_runtime.domain.desired import Desired, desired_state, is_unread
from sluice_runtime.domain.pause_objects import (
    MAX_PAUSES,
    KnownPauses,
    OutsideSwitches,
    PauseObject,
    PausesOfKind,
    ends_of_pauses,
    pause_of_feed,
    pause_of_job,
)
from support.runtime_fakes import job
from support.virtual_time import START

LATER = START + timedelta(hours=1)
END = LATER.isoformat()


def of_job(name: str = "x", **spec: Any) -> PauseObject | None:
    return pause_of_job(name, {"reason": "vendor", **spec}, "us")


def of_feed(name: str = "x", **spec: Any) -> PauseObject | None:
    return pause_of_feed(name, {"reason": "vendor", **spec}, "alpaca", "sip")


def state(*pauses: PauseObject | None, labels: Mapping[str, str] | None = None, **spec: Any) -> Desired:
    """Return the desired state of a job with these labels and these pauses of its namespace."""
    declared = job(**spec)
    metadata = msgspec.structs.replace(declared.metadata, labels=dict(labels or {}))
    assert declared.spec is not None
    known = KnownPauses(of_namespace=PausesOfKind(pauses=tuple(each for each in pauses if each is not None)))
    return desired_state(
        msgspec.structs.replace(declared, metadata=metadata), declared.spec, START, OutsideSwitches(pauses=known)
    )


def test_a_pause_by_name_concerns_the_jobs_that_it_names() -> None:
    assert of_job(jobs=["other"]) is None
    found = state(of_job(jobs=["other", "us"], by="alice", until=END))
    assert found.pause is not None
    assert (found.pause.source, found.pause.by, found.pause.reason) == ("pause:x", "alice", "vendor")
    assert found.pause.ends_at == LATER


def test_a_pause_by_selector_follows_the_labels_of_the_job() -> None:
    pause = of_job(jobSelector={"matchLabels": {"desk": "rates"}})
    assert state(pause).pause is None
    assert state(pause, labels={"desk": "rates"}).switches == ("pause:x",)
    assert state(of_job(jobSelector={})).switches == ("pause:x",)


def test_a_pause_that_is_over_does_not_pause_and_holds_again_when_it_is_extended() -> None:
    assert state(of_job(jobs=["us"], until=START.isoformat())).pause is None
    assert state(of_job(jobs=["us"], until=END)).switches == ("pause:x",)


@pytest.mark.parametrize(
    ("providers", "is_covered"),
    [
        (None, True),
        ([{"name": "alpaca"}], True),
        ([{"name": "alpaca", "feeds": ["iex", "sip"]}], True),
        ([{"name": "alpaca", "feeds": ["iex"]}], False),
        ([{"name": "ibkr"}], False),
    ],
)
def test_a_cluster_pause_concerns_its_feeds(providers: list[Any] | None, is_covered: bool) -> None:
    assert (of_feed(providers=providers) is not None) is is_covered


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"jobs": "us"}, "spec.jobs"),
        ({"jobs": ["us"], "until": "tomorrow"}, "spec.until"),
        ({"jobs": ["us"], "symbols": [7]}, "spec.symbols"),
        ({"jobSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}}, "spec.jobSelector"),
        ({}, "spec names no job"),
    ],
)
def test_a_pause_that_is_not_understood_is_in_force_and_says_why(spec: dict[str, Any], field: str) -> None:
    found = state(of_job(**spec))
    assert found.pause is not None
    assert (found.pause.source, found.pause.ends_at) == ("unreadable", None)
    assert found.pause.reason is not None
    assert found.pause.reason.startswith("IngestPause x: ")
    assert field in found.pause.reason


def test_a_cluster_pause_whose_providers_are_not_understood_concerns_every_job() -> None:
    found = of_feed(providers=[{"feed": "sip"}])
    assert found is not None
    assert found.problem.startswith("ClusterIngestPause x: spec.providers")


def test_symbols_are_paused_by_the_spec_by_pauses_and_by_cluster_pauses() -> None:
    declared = job(symbols=["A", "B", "C", "D"], pausedSymbols=[{"symbol": "A"}, {"symbol": "Z"}])
    assert declared.spec is not None
    of_namespace, of_cluster = of_job("n", jobs=["us"], symbols=["A", "B"]), of_feed("c", symbols=["B", "C", "Y"])
    assert of_namespace is not None
    assert of_cluster is not None
    known = KnownPauses(
        of_namespace=PausesOfKind(pauses=(of_namespace,)), of_cluster=PausesOfKind(pauses=(of_cluster,))
    )
    found = desired_state(declared, declared.spec, START, OutsideSwitches(pauses=known))
    assert (found.pause, found.symbols) == (None, frozenset({"D"}))
    assert {symbol: each.source for symbol, each in found.symbol_pauses.items()} == {
        "A": "pause:n",
        "B": "clusterpause:c",
        "C": "clusterpause:c",
    }
    assert found.unknown_paused == ("Z",)


def test_a_job_does_not_stream_before_its_pauses_are_read_but_its_own_stop_is_a_pause_at_once() -> None:
    unread = OutsideSwitches(pauses=KnownPauses(of_cluster=PausesOfKind(are_read=False)))
    running, stopped = job(), job(enabled=False)
    assert running.spec is not None
    assert stopped.spec is not None
    assert is_unread(desired_state(running, running.spec, START, unread).pause)
    assert desired_state(stopped, stopped.spec, START, unread).switches == ("spec.enabled",)


def test_more_pauses_than_a_pod_keeps_pause_the_job_and_the_reason_says_what_to_do() -> None:
    declared = job()
    assert declared.spec is not None
    known = KnownPauses(of_namespace=PausesOfKind(has_too_many=True))
    found = desired_state(declared, declared.spec, START, OutsideSwitches(pauses=known)).pause
    assert found is not None
    assert found.reason is not None
    assert found.source == "unreadable"
    assert f"more than {MAX_PAUSES} IngestPauses" in found.reason
    assert "delete those that ended" in found.reason


def test_pauses_are_in_the_order_of_their_names_those_of_the_cluster_first() -> None:
    assert state(of_job("b", jobs=["us"]), of_job("a", jobs=["us"]), enabled=False).switches == (
        *("pause:a", "pause:b", "spec.enabled"),
    )


def test_the_problem_of_a_kind_that_cannot_be_read_is_in_the_desired_state() -> None:
    declared = job()
    assert declared.spec is not None
    known = KnownPauses(of_namespace=PausesOfKind(problem="The pod may not read ingestpauses."))
    found = desired_state(declared, declared.spec, START, OutsideSwitches(pauses=known))
    assert (found.pause, found.pause_check_problem) == (None, "The pod may not read ingestpauses.")


def test_the_ends_of_pauses_are_those_of_both_kinds() -> None:
    timed, open_ended = of_job(jobs=["us"], until=END), of_feed()
    assert timed is not None
    assert open_ended is not None
    known = KnownPauses(of_namespace=PausesOfKind(pauses=(timed,)), of_cluster=PausesOfKind(pauses=(open_ended,)))
    assert list(ends_of_pauses(known)) == [LATER]
