from typing import Any

import pytest

from sluice_contract.job_policy import JobPolicy
from sluice_runtime.domain.declared_job import DeclaredJob, parse_declared_job
from sluice_runtime.domain.desired import with_pause_for_unreadable_spec
from support.runtime_fakes import desired, desired_state_of, job
from support.virtual_time import START

SPEC: dict[str, Any] = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]}
UNKNOWN = SPEC | {"channels": ["depth"]}


def stored(generation: int, spec: Any, status: Any = None, **meta: Any) -> DeclaredJob:
    metadata = {"name": "us", "namespace": "acme", "uid": "u", "generation": generation, **meta}
    return parse_declared_job({"metadata": metadata, "spec": spec, "status": status})


def test_the_last_spec_that_was_understood_is_used_with_the_newest_stop_fields() -> None:
    last = stored(3, SPEC)
    newest = stored(4, UNKNOWN | {"enabled": False}).with_fallback_spec(last)
    assert newest.spec is not None
    assert (newest.spec.symbols, newest.spec.enabled) == (["SPY"], False)
    assert (newest.spec_generation, newest.metadata.generation) == (3, 4)
    found = desired_state_of(newest, START)
    assert (found.generation, found.stops_generation) == (3, 4)
    assert found.pause is not None
    assert found.pause.source == "spec.enabled"
    assert found.spec_problem.startswith("spec.channels[0] is not understood")


def test_a_spec_that_is_understood_again_replaces_the_last() -> None:
    assert stored(5, SPEC | {"symbols": ["QQQ"]}).with_fallback_spec(stored(3, SPEC)).spec_generation == 5


def test_a_pod_that_has_understood_no_spec_does_not_stream_and_says_why() -> None:
    never = stored(4, UNKNOWN).with_fallback_spec(None)
    assert never.spec is None
    found = with_pause_for_unreadable_spec(desired(), never, START)
    assert found.pause is not None
    assert found.pause.source == "unreadable"
    assert found.pause.reason == found.spec_problem != ""
    assert found.stops_generation == 4


def test_a_stop_field_that_is_not_understood_pauses_with_precedence_over_all_others() -> None:
    found = desired_state_of(stored(2, SPEC | {"pause": {"until": []}}), START)
    assert found.pause is not None
    assert found.pause.source == "unreadable"
    assert found.pause.reason == (
        "spec.pause.until is not understood: it is a list; write a time with its time zone, such as "
        "2026-11-23T14:00:00Z"
    )


def test_a_job_that_is_being_deleted_streams_nothing() -> None:
    found = desired_state_of(stored(2, SPEC, deletionTimestamp="2026-03-02T15:00:00Z"), START)
    assert found.pause is not None
    assert found.pause.source == "deleted"


@pytest.mark.parametrize("status", [None, "text", [], {"stream": []}, {"stream": {"heartbeat": []}}, {"phase": 7}])
def test_the_job_is_read_whatever_the_status_contains(status: Any) -> None:
    assert stored(1, SPEC, status).spec == stored(1, SPEC).spec


def test_a_job_that_was_understood_completely_has_no_problem() -> None:
    found = job(7)
    assert (found.problem, found.stops.problem, found.spec_generation) == ("", "", 7)


def test_the_policy_of_the_status_is_read_as_far_as_it_is_understood() -> None:
    policy = {"names": ["tenants"], "dryRun": True, "writesPerSecond": 5, "denied": "no"}
    assert stored(1, SPEC, {"policy": policy}).policy == JobPolicy(
        names=["tenants"], dry_run=True, writes_per_second=5, denied="no"
    )
    partly = stored(1, SPEC, {"policy": policy | {"writesPerSecond": "many", "later": 1}}).policy
    assert partly == JobPolicy(names=["tenants"], dry_run=True, denied="no")
    assert stored(1, SPEC, {"policy": "all"}).policy is None
    assert stored(1, SPEC, {"stream": {}}).policy is None


def test_a_policy_lowers_limits_forces_a_dry_run_and_denies() -> None:
    job_with_policy = stored(
        1, SPEC, {"policy": {"names": ["a"], "dryRun": True, "writesPerSecond": 5, "denied": "no"}}
    )
    found = desired_state_of(job_with_policy, START)
    assert (found.dry_run, found.limits.writes_per_second, found.denied, found.pause) == (True, 5, "no", None)
    found = desired_state_of(stored(1, SPEC | {"dryRun": True}, {"policy": {"names": ["a"]}}), START)
    assert (found.dry_run, found.limits.writes_per_second, found.denied) == (True, 20, "")


def test_a_boolean_in_the_list_of_symbols_is_explained_by_yaml() -> None:
    problem = stored(4, SPEC | {"symbols": ["SPY", True]}).problem
    assert problem.startswith(
        "spec.symbols[1] is not understood: it is a boolean where text is needed: YAML reads ON, "
    )
    assert problem.endswith('as a boolean; write "ON"')
