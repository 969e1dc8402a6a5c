import re
from pathlib import Path

import pytest
import yaml

from sluice_cli.contract import contract
from sluice_cli.model.findings import PROBLEM, WARNING
from sluice_cli.model.fleet import Operator
from sluice_cli.model.installation import (
    ADMISSION_POLICIES,
    POD_MONITORS,
    clock_findings,
    field_findings,
    fields_of_schema,
    kind_findings,
    monitoring_findings,
    not_installed_finding,
    operator_findings,
    policy_object_findings,
)
from support.fake_kubectl import NOW

ROOT = Path(__file__).resolve().parents[4]
KNOWN = frozenset(contract()["fields"])


def test_the_policies_and_monitors_are_those_of_the_manifests() -> None:
    texts = "\n".join(each.read_text() for each in (ROOT / "manifests/base").glob("policy-*.yaml"))
    assert set(re.findall(r"policyName: (\S+)", texts)) == set(ADMISSION_POLICIES)
    monitors = yaml.safe_load_all((ROOT / "manifests/monitoring/pod-monitors.yaml").read_text())
    assert {each["metadata"]["name"] for each in monitors} == set(POD_MONITORS)


def test_a_cluster_without_sluice_has_one_problem() -> None:
    assert not_installed_finding().severity == PROBLEM


def test_a_kind_that_is_not_served_is_a_problem() -> None:
    [found] = kind_findings(["ingestjobs", "ingestpauses", "clusteringestpauses"])
    assert (found.severity, found.message) == (PROBLEM, "the cluster does not serve IngestPolicy")
    assert list(kind_findings([*contract()["kinds"].values(), "ingestjobs/status"])) == []


def test_the_fields_of_the_generated_crd_are_those_of_the_plugin() -> None:
    crd = yaml.safe_load((ROOT / "crds/ingestjobs.sluice.dev.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert fields_of_schema(schema) == KNOWN
    assert list(field_findings(KNOWN)) == []


def test_older_and_newer_crds_are_warnings() -> None:
    [older] = field_findings(KNOWN - {"limits.writesPerDay"})
    assert older.severity == WARNING
    assert "they are older than this plugin: they lack limits.writesPerDay" in older.message
    [newer] = field_findings(KNOWN | {f"new{number}" for number in range(7)})
    assert newer.message.endswith("new0, new1, new2, new3, new4 and 2 more")


def test_an_operator_that_does_not_lead_and_a_wrong_version_are_problems() -> None:
    leading = Operator("sluice-operator-x", NOW, is_leading=True)
    assert list(operator_findings(leading, "", NOW)) == []
    assert list(operator_findings(None, "", NOW)) == []
    [found] = operator_findings(Operator("", None, is_leading=False), "", NOW)
    assert (found.severity, found.message) == (PROBLEM, "no replica leads")
    [skew] = operator_findings(leading, "This plugin is old: install version 3 of it.", NOW)
    assert (skew.message, skew.remedy) == ("This plugin is old", "Install version 3 of it.")


def test_a_missing_policy_and_a_missing_binding_are_problems() -> None:
    every = frozenset(ADMISSION_POLICIES)
    assert list(policy_object_findings(every, every)) == []
    [found] = policy_object_findings(every, every - {"sluice-tenant"})
    assert (found.severity, found.message) == (PROBLEM, "there is no ValidatingAdmissionPolicyBinding sluice-tenant")


def test_a_missing_pod_monitor_is_a_warning() -> None:
    assert list(monitoring_findings(frozenset(POD_MONITORS))) == []
    [found] = monitoring_findings(frozenset({"sluice-operator"}))
    assert (found.severity, found.command) == (WARNING, "kubectl apply -k manifests/monitoring")


@pytest.mark.parametrize(
    ("ahead", "age", "about"),
    [
        (None, None, []),
        (1.0, 4.0, []),
        (40.0, 43.0, ["Your clock"]),
        (-40.0, -38.0, ["Your clock"]),
        (0.5, -9.0, ["A node's clock"]),
        (None, -9.0, ["A node's clock"]),
    ],
)
def test_the_clocks_of_this_machine_and_of_the_nodes_are_distinguished(
    ahead: float | None, age: float | None, about: list[str]
) -> None:
    assert [each.about for each in clock_findings(ahead, age)] == about
