from pathlib import Path
from typing import Any

import pytest

from sluice_cli.model.rights import NEEDS, Right, right_findings, rights_of_cluster, rules_of_review

PAGE = Path(__file__).resolve().parents[4] / "docs/kubectl-sluice.md"
LIST_JOBS = Right("list", "sluice.dev", "ingestjobs")


def review(*rules: dict[str, Any], incomplete: bool = False) -> dict[str, Any]:
    return {"status": {"resourceRules": list(rules), "incomplete": incomplete}}


def rule(verb: str, group: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"verbs": [verb], "apiGroups": [group], "resources": [resource], **more}


def test_the_needs_are_the_rows_of_the_page_without_which_a_command_fails() -> None:
    section = PAGE.read_text().split("\n## Permissions\n", 1)[1]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    documented = {(row[0], row[1], row[2], row[3]) for row in rows if row[4] != "0" and row[0] in NEEDS}
    needed = {(command, each.verb, each.resource, each.where) for command, rights in NEEDS.items() for each in rights}
    assert needed == documented


@pytest.mark.parametrize(
    ("given", "is_permitted"),
    [
        (rule("list", "sluice.dev", "ingestjobs"), True),
        (rule("*", "*", "*"), True),
        (rule("get", "sluice.dev", "ingestjobs"), False),
        (rule("list", "apps", "ingestjobs"), False),
        (rule("list", "sluice.dev", "ingestjobs", resourceNames=["one"]), False),
    ],
)
def test_a_rule_permits_its_verbs_resources_and_groups(given: dict[str, Any], is_permitted: bool) -> None:
    assert rules_of_review(review(given)).permits(LIST_JOBS) is is_permitted


@pytest.mark.parametrize(
    ("resource", "is_permitted"), [("ingestjobs/pods", True), ("*/pods", True), ("ingestjobs", False)]
)
def test_a_part_of_a_resource_has_a_right_of_its_own(resource: str, is_permitted: bool) -> None:
    right = Right("create", "sluice.dev", "ingestjobs/pods")
    assert rules_of_review(review(rule("create", "sluice.dev", resource))).permits(right) is is_permitted


def test_what_the_api_server_does_not_know_is_not_missing() -> None:
    assert list(right_findings("acme", rules_of_review(review(incomplete=True)), [])) == []
    assert list(right_findings("acme", None, [])) == []


def test_each_command_that_would_fail_is_named_with_what_is_missing() -> None:
    rules = rules_of_review(
        review(rule("list", "sluice.dev", "ingestjobs"), rule("list", "sluice.dev", "ingestpauses"))
    )
    found = {each.message for each in right_findings("acme", rules, rights_of_cluster()[:1])}
    assert found == {
        "kubectl sluice pause JOB would fail: you may not create ingestpauses in namespace acme",
        "kubectl sluice pause --fleet would fail: you may not create clusteringestpauses in the cluster",
        "kubectl sluice resume JOB would fail: you may not delete ingestpauses in namespace acme",
        "kubectl sluice purge JOB would fail: you may not get ingestjobs in namespace acme and get pods in namespace "
        "acme and create pods in namespace acme and create ingestjobs/pods in namespace acme",
    }
