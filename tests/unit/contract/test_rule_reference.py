import pytest

from sluice_contract.kinds import INGEST_JOB, INGEST_POLICY, KINDS, ResourceKind
from sluice_contract.rule_reference import lists_with_keys, rule_reference_page, rules_without_json_schema


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_page_has_each_rule_of_a_kind(kind: ResourceKind) -> None:
    section = rule_reference_page().split(f"## {kind.name}\n")[1].split("\n## ")[0]
    assert all(rule.message in section for rule in kind.rules)
    assert all(f"| {message} |" in section for _, message in rules_without_json_schema(kind))


def test_a_rule_that_only_repeats_a_pattern_is_not_listed() -> None:
    paths = [path for path, _ in rules_without_json_schema(INGEST_JOB)]
    assert "spec.symbols[]" not in paths
    assert "spec.pod.labels" in paths


def test_the_lists_whose_entries_must_differ_in_a_field_are_listed() -> None:
    assert ("spec.pausedSymbols", "symbol") in lists_with_keys(INGEST_JOB)
    assert lists_with_keys(INGEST_POLICY) == []
    assert (
        "| `spec.pausedSymbols` | two entries cannot have the same `symbol`: keep only one |" in rule_reference_page()
    )
