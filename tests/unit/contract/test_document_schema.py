from typing import Any

import pytest

from sluice_contract.document_schema import UNKNOWN, document_schema, schema_errors, without_nulls
from sluice_contract.rules import RULES

GOOD: dict[str, Any] = {
    "metadata": {"name": "us"},
    "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]},
}


def errors_in(**spec: Any) -> list[tuple[str, str]]:
    found = schema_errors(GOOD | {"spec": GOOD["spec"] | spec})
    return [(".".join(map(str, error.absolute_path)), str(error.validator)) for error in found]


def test_null_fields_are_removed_and_null_items_and_unknown_fields_stay() -> None:
    document = {"spec": {"pause": None, "pod": {"labels": {"a": None}}, "symbols": ["SPY", None], "nothing": None}}
    assert without_nulls(document) == {"spec": {"pod": {"labels": {}}, "symbols": ["SPY", None], "nothing": None}}


@pytest.mark.parametrize(
    ("spec", "path", "keyword"),
    [
        ({"symbols": ["SPY\n"]}, "spec.symbols.0", "pattern"),
        ({"symbols": [None]}, "spec.symbols.0", "type"),
        ({"channels": ["quotes", "quotes"]}, "spec.channels", "x-kubernetes-list-type"),
        ({"limits": {"burst": True}}, "spec.limits.burst", "type"),
        ({"firestore": {"projectId": "a"}}, "spec.firestore.projectId", UNKNOWN),
    ],
)
def test_an_error_has_the_path_of_its_field(spec: dict[str, Any], path: str, keyword: str) -> None:
    assert errors_in(**spec) == [(path, keyword)]


def test_a_valid_document_has_no_errors() -> None:
    assert errors_in() == []
    assert errors_in(limits={"burst": 40.0}, pod={"labels": {"desk": "options"}}) == []


def test_any_value_is_accepted_in_a_field_of_the_status_and_no_other_field() -> None:
    assert schema_errors(GOOD | {"status": {"phase": 7, "stream": {"gaps": [{"from": 1}]}}}) == []
    [error] = schema_errors(GOOD | {"status": {"stream": {"gaps": [{"form": 1}]}}})
    assert list(error.absolute_path) == ["status", "stream", "gaps", 0, "form"]


def test_every_expression_in_the_schema_is_checked_without_an_api_server_too() -> None:
    """A pattern stands for the expressions on texts; the others are the rules, which have a predicate in Python."""
    known = {rule.rule for rule in RULES}

    def unknown(schema: Any) -> list[str]:
        if isinstance(schema, list):
            return [each for item in schema for each in unknown(item)]
        if not isinstance(schema, dict):
            return []
        rules = [] if "pattern" in schema else schema.get("x-kubernetes-validations", [])
        below = [each for value in schema.values() for each in unknown(value)]
        return [rule["rule"] for rule in rules if isinstance(rule, dict) and rule.get("rule", "") not in known] + below

    assert unknown(document_schema()["properties"]["spec"]) == []
