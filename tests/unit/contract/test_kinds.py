from typing import Any

import pytest

from sluice_contract import identity
from sluice_contract.kinds import CLUSTER_INGEST_PAUSE, INGEST_PAUSE, INGEST_POLICY, KINDS, ResourceKind
from sluice_contract.schema import custom_resource_definition, field_rows, open_api_schema


def rows(kind: ResourceKind) -> dict[str, dict[str, Any]]:
    properties = open_api_schema(kind)["properties"]
    return {path: field for part in ("spec", "status") for path, field, _ in field_rows(properties[part], part)}


def test_each_kind_has_the_names_that_the_contract_declares() -> None:
    assert [(each.name, each.plural) for each in KINDS] == [
        (identity.KIND, identity.PLURAL),
        (identity.PAUSE_KIND, identity.PAUSES),
        (identity.CLUSTER_PAUSE_KIND, identity.CLUSTER_PAUSES),
        (identity.POLICY_KIND, identity.POLICIES),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_column_shows_an_existing_field(kind: ResourceKind) -> None:
    known = rows(kind)
    for column in kind.columns:
        path = column.path.lstrip(".").replace("status.conditions[?(@.type==", "").split('")].')[0]
        assert path.startswith(("metadata.", '"')) or path in known, column


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_rule_says_what_to_do(kind: ResourceKind) -> None:
    assert [rule.message for rule in kind.rules if ":" not in rule.message and "write" not in rule.message] == []


@pytest.mark.parametrize("kind", [INGEST_PAUSE, CLUSTER_INGEST_PAUSE], ids=lambda kind: kind.name)
def test_a_pause_needs_nothing_but_its_reason_in_every_kind(kind: ResourceKind) -> None:
    assert open_api_schema(kind)["properties"]["spec"]["required"] == ["reason"]


def test_nothing_of_a_cluster_pause_names_a_job_or_a_namespace() -> None:
    names = {path.rsplit(".", 1)[1] for path in rows(CLUSTER_INGEST_PAUSE)}
    assert not names & {"jobs", "jobSelector", "waitingFor", "namespaces", "denied"}


def test_allow_lists_and_selectors_are_replaced_as_a_whole() -> None:
    policy = rows(INGEST_POLICY)
    for path in ("spec.providers", "spec.providers[].feeds", "spec.hosts"):
        assert policy[path]["x-kubernetes-list-type"] == "atomic"
    assert policy["spec.namespaceSelector"]["x-kubernetes-map-type"] == "atomic"
    assert rows(INGEST_PAUSE)["spec.jobSelector"]["x-kubernetes-map-type"] == "atomic"


def test_only_the_kinds_of_the_platform_are_cluster_scoped() -> None:
    scopes = {each.name: custom_resource_definition(each)["spec"]["scope"] for each in KINDS}
    assert scopes == {
        "IngestJob": "Namespaced",
        "IngestPause": "Namespaced",
        "ClusterIngestPause": "Cluster",
        "IngestPolicy": "Cluster",
    }
