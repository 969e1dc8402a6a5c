"""The chart, made from a small base."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_manifests.chart import chart_files, replace_folder_with_chart
from sluice_manifests.errors import ManifestsError
from sluice_manifests.image_names import image_repository, image_tag
from sluice_manifests.switches import ComponentSwitch

NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": "sluice-system",
        "labels": {"app": "sluice", "pod-security.kubernetes.io/enforce": "restricted"},
    },
}
CONTAINER = {
    "name": "operator",
    "image": "sluice-operator:1.2.3",
    "env": [
        {"name": "SLUICE_RUNTIME_IMAGE", "value": "sluice-runtime:1.2.3"},
        {"name": "SLUICE_REQUIRE_POLICIES", "value": "true"},
        {"name": "SLUICE_LOG_LEVEL", "value": "WARNING"},
    ],
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "sluice-operator", "namespace": "sluice-system"},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [CONTAINER]}}},
}
POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "sluice-system"},
    "spec": {
        "expression": "a == 'system:serviceaccount:sluice-system:sluice-operator'\n|| {{ b }} == 'sluice-systems'\n"
    },
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "ingestjobs.sluice.dev"},
}
BASE: list[dict[str, Any]] = [NAMESPACE, DEPLOYMENT, POLICY, DEFINITION]
SWITCH = ComponentSwitch("strictProbes", "Adds a policy.", "strict-probes")
COMPONENT_POLICY = {
    **POLICY,
    "metadata": {"name": "strict-probes"},
    "spec": {"expression": "a == 'system:serviceaccount:sluice-system:sluice-operator'"},
}
COMPONENT_FILE = "templates/validatingadmissionpolicy-strict-probes.yaml"
DEPLOYMENT_FILE = "templates/deployment-sluice-operator.yaml"
POLICY_FILE = "templates/validatingadmissionpolicy-sluice-system.yaml"


def test_the_defaults_are_what_the_base_has() -> None:
    values = yaml.safe_load(chart_files(BASE, {})["values.yaml"])
    assert values["replicas"] == 2
    assert values["logLevel"] == "WARNING"
    assert values["image"] == {
        "repository": "sluice-operator",
        "tag": "",
        "digest": "",
        "pullPolicy": "",
        "pullSecrets": [],
    }


def test_the_version_is_that_of_the_image() -> None:
    found = yaml.safe_load(chart_files(BASE, {})["Chart.yaml"])
    assert (found["version"], found["appVersion"]) == ("1.2.3", "1.2.3")


def test_a_value_replaces_that_of_the_base() -> None:
    text = chart_files(BASE, {})[DEPLOYMENT_FILE]
    assert "  replicas: {{ .Values.replicas }}\n" in text
    assert "WARNING" not in text
    assert "sluice-runtime" not in text


def test_a_key_that_the_base_does_not_have_is_left_out_while_its_value_is_empty() -> None:
    lines = chart_files(BASE, {})[DEPLOYMENT_FILE].splitlines()
    start = lines.index("{{- with .Values.nodeSelector }}")
    assert lines[start + 1 : start + 4] == ["      nodeSelector:", "        {{- toYaml . | nindent 8 }}", "{{- end }}"]


def test_a_field_that_a_value_replaces_is_left_out_unless_the_value_is_empty() -> None:
    base = copy.deepcopy(BASE)
    base[1]["spec"]["template"]["spec"]["securityContext"] = {"runAsNonRoot": True, "runAsUser": 1000}
    lines = chart_files(base, {})[DEPLOYMENT_FILE].splitlines()
    start = lines.index("{{- if not .Values.podUserID }}")
    assert lines[start + 1 : start + 3] == ["        runAsUser: 1000", "{{- end }}"]
    assert lines.count("{{- if not .Values.podUserID }}") == 1


def test_the_namespace_is_the_releases_wherever_it_is_named_but_not_in_names() -> None:
    text = chart_files(BASE, {})[POLICY_FILE]
    assert "'system:serviceaccount:{{ .Release.Namespace }}:sluice-operator'" in text
    assert "'sluice-systems'" in text
    assert "  name: sluice-system\n" in text
    assert "  namespace: {{ .Release.Namespace | quote }}\n" in chart_files(BASE, {})[DEPLOYMENT_FILE]


def test_text_that_looks_like_a_template_is_kept_unchanged() -> None:
    assert '|| {{ "{{" }} b }} ==' in chart_files(BASE, {})[POLICY_FILE]


def test_the_namespace_itself_is_left_to_helm_and_its_security_labels_are_in_the_notes() -> None:
    files = chart_files(BASE, {})
    assert not any("namespace-" in path for path in files)
    assert "--overwrite pod-security.kubernetes.io/enforce=restricted\n" in files["templates/NOTES.txt"]
    assert "kubectl label namespace NAMESPACE sluice.dev/tenant=TENANT\n" in files["templates/NOTES.txt"]


def test_uninstalling_keeps_the_definition() -> None:
    text = chart_files(BASE, {})["templates/customresourcedefinition-ingestjobs.sluice.dev.yaml"]
    assert text.startswith("{{- if .Values.crds.install }}\n")
    assert "helm.sh/resource-policy: keep" in text


def test_there_is_no_switch_for_an_object_that_the_base_does_not_have() -> None:
    values = yaml.safe_load(chart_files(BASE, {})["values.yaml"])
    assert "admissionPolicies" in values
    assert "networkPolicies" not in values


def test_the_objects_of_a_component_are_under_its_own_switch_and_not_under_that_of_their_kind() -> None:
    text = chart_files(BASE, {SWITCH: [COMPONENT_POLICY]})[COMPONENT_FILE]
    assert text.startswith("{{- if .Values.strictProbes }}\napiVersion: admissionregistration.k8s.io/v1\n")
    assert text.endswith("\n{{- end }}\n")
    assert text.count("{{- if") == 1
    assert "'system:serviceaccount:{{ .Release.Namespace }}:sluice-operator'" in text


def test_a_component_is_left_out_by_default_and_changes_no_object_of_the_base() -> None:
    without, files = chart_files(BASE, {}), chart_files(BASE, {SWITCH: [COMPONENT_POLICY]})
    assert yaml.safe_load(files["values.yaml"]) == yaml.safe_load(without["values.yaml"]) | {"strictProbes": False}
    schema = json.loads(files["values.schema.json"])
    assert schema["properties"]["strictProbes"] == {"description": "Adds a policy.", "type": "boolean"}
    assert "| `strictProbes` | `false` | Adds a policy. |" in files["README.md"]
    templates = {path: text for path, text in files.items() if path.startswith("templates/")}
    assert templates.pop(COMPONENT_FILE)
    assert templates.items() <= without.items()


def test_every_value_is_described_and_no_other_is_allowed() -> None:
    def check(schema: dict[str, Any], value: Any) -> None:
        if "properties" in schema and "description" not in schema:
            assert schema["additionalProperties"] is False
            for name in value:
                check(schema["properties"][name], value[name])
        else:
            assert schema["description"].endswith(".")

    files = chart_files(BASE, {SWITCH: [COMPONENT_POLICY]})
    check(json.loads(files["values.schema.json"]), yaml.safe_load(files["values.yaml"]))


def test_a_base_without_the_place_of_a_value_is_rejected() -> None:
    base = copy.deepcopy(BASE)
    del base[1]["spec"]["template"]["spec"]["containers"][0]["env"]
    with pytest.raises(ManifestsError, match=r"has no spec\.template\.spec\.containers\.operator\.env"):
        chart_files([base[0], base[1]], {})


def test_a_base_with_two_namespaces_is_rejected() -> None:
    with pytest.raises(ManifestsError, match="exactly one Namespace, but it has 2"):
        chart_files([*BASE, NAMESPACE], {})


def test_writing_leaves_no_file_of_an_earlier_chart(tmp_path: Path) -> None:
    replace_folder_with_chart({"templates/old.yaml": "a"}, tmp_path / "chart")
    replace_folder_with_chart({"templates/new.yaml": "b"}, tmp_path / "chart")
    assert [path.name for path in (tmp_path / "chart/templates").iterdir()] == ["new.yaml"]


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("sluice-operator:0.1.0", ("sluice-operator", "0.1.0")),
        ("host:5000/a/sluice-operator:0.1.0", ("host:5000/a/sluice-operator", "0.1.0")),
        ("host:5000/sluice-operator", ("host:5000/sluice-operator", "")),
        ("a/b:1@sha256:0123", ("a/b", "1")),
    ],
)
def test_an_image_has_a_repository_and_a_tag(image: str, parts: tuple[str, str]) -> None:
    assert (image_repository(image), image_tag(image)) == parts
