from typing import Any

import pytest

from sluice_contract.label_selector import LabelSelector
from sluice_contract.pause_reading import read_cluster_pause_spec, read_pause_spec

UNTIL = "2026-11-28T14:00:00Z"


def test_a_spec_that_is_understood_has_no_problem() -> None:
    read = read_pause_spec({"jobs": ["us"], "symbols": ["SPY"], "reason": "incident", "until": UNTIL, "by": "alice"})
    assert read.problem == ""
    assert (read.spec.jobs, read.spec.symbols, read.spec.reason, read.spec.by) == (["us"], ["SPY"], "incident", "alice")
    assert read.spec.until is not None


def test_a_field_of_a_later_version_does_not_matter() -> None:
    assert read_pause_spec({"jobs": ["us"], "reason": "incident", "feeds": [1]}).problem == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("jobs", [1]),
        ("jobs", ["Us"]),
        ("jobSelector", {"matchExpressions": [{"key": "team", "operator": "Near"}]}),
        ("jobSelector", {"matchExpressions": [{"key": "team", "operator": "In"}]}),
        ("jobSelector", "team=rates"),
        ("jobs", ["\ud800"]),
    ],
)
def test_a_selection_that_is_not_understood_covers_every_job(field: str, value: Any) -> None:
    read = read_pause_spec({"reason": "incident", field: value})
    assert read.spec.covers_job("any", {})
    assert read.problem.startswith(f"spec.{field}")
    assert read.spec.reason == "incident"


def test_names_beside_a_selector_that_is_not_understood_cover_every_job() -> None:
    assert read_pause_spec({"jobs": ["us"], "jobSelector": 1, "reason": "r"}).spec.covers_job("eu", {})


def test_a_pause_that_selects_no_job_covers_every_job() -> None:
    read = read_pause_spec({"reason": "incident"})
    assert read.spec.covers_job("any", {})
    assert read.problem == "spec names no job: add spec.jobs or spec.jobSelector"


@pytest.mark.parametrize(
    ("field", "value"), [("symbols", ["spy"]), ("until", "tomorrow"), ("symbols", 1), ("until", 1)]
)
def test_symbols_and_an_end_that_are_not_understood_pause_the_whole_job_without_end(field: str, value: Any) -> None:
    for read in (
        read_pause_spec({"jobs": ["us"], "reason": "incident", field: value}),
        read_cluster_pause_spec({"reason": "incident", field: value}),
    ):
        assert (read.spec.symbols, read.spec.until) == (None, None)
        assert read.problem.startswith(f"spec.{field}")
    assert not read_pause_spec({"jobs": ["us"], "reason": "r", field: value}).spec.covers_job("eu", {})


def test_a_pause_without_a_reason_covers_its_jobs() -> None:
    read = read_pause_spec({"jobSelector": {}})
    assert (read.spec.job_selector, read.spec.reason, read.problem) == (LabelSelector(), "no reason given", "")


@pytest.mark.parametrize("raw", [None, [], "text", 1])
def test_a_spec_that_is_no_object_covers_every_job(raw: Any) -> None:
    assert read_pause_spec(raw).spec.covers_job("any", {})
    assert read_cluster_pause_spec(raw).spec.covers_feed("replay", None)
    for read in (read_pause_spec(raw), read_cluster_pause_spec(raw)):
        assert read.problem == "spec is not understood: it is not an object"


@pytest.mark.parametrize("providers", [[{"feeds": ["sip"]}], ["synthetic"], "synthetic", [{"name": "Synthetic"}]])
def test_providers_that_are_not_understood_cover_every_feed(providers: Any) -> None:
    read = read_cluster_pause_spec({"reason": "incident", "providers": providers})
    assert read.spec.covers_feed("replay", None)
    assert read.problem.startswith("spec.providers")


def test_a_cluster_pause_that_is_understood_covers_its_feeds() -> None:
    read = read_cluster_pause_spec({"reason": "incident", "providers": [{"name": "synthetic"}]})
    assert (read.problem, read.spec.covers_feed("replay", None)) == ("", False)


def test_a_boolean_in_the_place_of_a_text_is_explained_by_yaml() -> None:
    for read in (
        read_pause_spec({"jobs": ["us"], "reason": "incident", "symbols": [True]}),
        read_cluster_pause_spec({"reason": "incident", "symbols": [True]}),
    ):
        assert read.problem.startswith("spec.symbols[0] is not understood: it is a boolean where text is needed")
        assert read.problem.endswith('as a boolean; write "ON"')
    assert read_pause_spec({"jobs": ["us"], "reason": True}).problem.endswith('as a boolean; write "ON"')
