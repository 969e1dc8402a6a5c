"""The JSON Schemas. tests/integration/test_json_schemas.py compares their verdicts with those of an API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sluice_contract.json_schema import is_pattern_in_words, json_schema, json_schema_file_name, json_schema_text
from sluice_contract.kinds import INGEST_JOB, INGEST_PAUSE, KINDS, ResourceKind

JOB: dict[str, Any] = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "IngestJob",
    "metadata": {"name": "us"},
    "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]},
}


def errors(**spec: Any) -> list[str]:
    """Return the places of the errors in a job with this spec."""
    found = Draft7Validator(json_schema(INGEST_JOB)).iter_errors(JOB | {"spec": JOB["spec"] | spec})
    return [error.json_path for error in found]


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each part of a schema that is an object."""
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(each)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_has_a_schema_of_draft_7_without_the_words_of_openapi(kind: ResourceKind) -> None:
    schema = json.loads(json_schema_text(kind))
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["properties"]["kind"]["enum"] == [kind.name]
    assert not any(name.startswith("x-") for part in parts(schema) for name in part)


def test_a_file_has_the_name_that_kubeconform_looks_for() -> None:
    assert json_schema_file_name(INGEST_PAUSE) == "ingestpause_v1alpha1.json"


def test_a_valid_job_has_no_error() -> None:
    assert errors() == []
    assert errors(pause=None, enabled=None, limits={"burst": 40.0}, pod={"labels": {"a": None}}) == []


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"enabeld": True}, "$.spec"),
        ({"symbols": [True]}, "$.spec.symbols[0]"),
        ({"symbols": ["spy"]}, "$.spec.symbols[0]"),
        ({"channels": ["quotes", "quotes"]}, "$.spec.channels"),
        ({"symbols": None}, "$.spec.symbols"),
        ({"symbols": [None]}, "$.spec.symbols[0]"),
        ({"provider": "pigeon"}, "$.spec.provider"),
        ({"limits": {"burst": 0}}, "$.spec.limits.burst"),
        ({"limits": {"burst": True}}, "$.spec.limits.burst"),
        ({"pause": {"until": "tomorrow"}}, "$.spec.pause.until"),
    ],
)
def test_what_the_schema_of_the_crd_rejects_is_an_error(spec: dict[str, Any], place: str) -> None:
    assert errors(**spec) == [place]


def test_a_document_needs_a_name_or_a_prefix_of_one() -> None:
    validator = Draft7Validator(json_schema(INGEST_JOB))
    assert validator.is_valid(JOB | {"metadata": {"generateName": "us-"}})
    assert not validator.is_valid(JOB | {"metadata": {"namespace": "acme"}})
    assert not validator.is_valid({name: value for name, value in JOB.items() if name != "metadata"})


def test_only_the_names_in_a_status_matter() -> None:
    validator = Draft7Validator(json_schema(INGEST_JOB))
    assert validator.is_valid(JOB | {"status": {"phase": 7, "conditions": [{"type": 1}]}})
    assert not validator.is_valid(JOB | {"status": {"phasee": "Running"}})


def test_each_pattern_has_a_message_in_words_and_no_escape_that_only_some_tools_read() -> None:
    patterns = [part for kind in KINDS for part in parts(json_schema(kind)) if isinstance(part.get("pattern"), str)]
    assert len(patterns) > 50
    for part in patterns:
        assert r"\"" not in part["pattern"]
        assert part.get("patternErrorMessage", "in propertyNames") != ""
    symbols = json_schema(INGEST_JOB)["properties"]["spec"]["properties"]["symbols"]["items"]
    assert symbols["patternErrorMessage"].endswith("write SPY, BRK.B or BTC/USD")
    assert "it reads ON as a boolean" in symbols["errorMessage"]


def test_a_rule_that_repeats_the_pattern_is_recognized() -> None:
    schema = {"pattern": "^a$"}
    assert is_pattern_in_words({"rule": "oldSelf.hasValue() || self.matches(r'^a$')"}, schema)
    assert not is_pattern_in_words({"rule": "self.matches(r'^b$')"}, schema)
    assert not is_pattern_in_words({"rule": "self.matches(r'^a$')"}, {})
