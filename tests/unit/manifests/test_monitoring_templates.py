"""An object of manifests/monitoring as a Helm template."""

from __future__ import annotations

from sluice_manifests.monitoring_templates import monitoring_template
from sluice_manifests.switches import KindSwitch

SWITCH = KindSwitch("monitoring.rules", "Rules.", ("PrometheusRule",))
RULE = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PrometheusRule",
    "metadata": {"labels": {"a": "b"}, "name": "alerts", "namespace": "sluice-system"},
    "spec": {
        "labels": {"c": "d"},
        "text": "{{ $value }}",
        "page_url": "https://sluice.example/?job={{ $labels.name }}",
        "runbook_url": "https://sluice.example/docs/runbooks/A.md",
    },
}
LINES = monitoring_template(RULE, "sluice-system", SWITCH).splitlines()


def test_the_object_is_under_its_switch_and_in_the_namespace_of_the_release() -> None:
    assert LINES[0] == "{{- if .Values.monitoring.rules }}"
    assert LINES[-1] == "{{- end }}"
    assert "  namespace: {{ .Release.Namespace | quote }}" in LINES


def test_extra_labels_follow_the_labels_of_the_object_itself() -> None:
    start = LINES.index("  labels:")
    assert LINES[start + 1 : start + 5] == [
        "    a: b",
        "    {{- with .Values.monitoring.extraLabels }}",
        "    {{- toYaml . | nindent 4 }}",
        "    {{- end }}",
    ]
    assert sum("extraLabels" in line for line in LINES) == 1


def test_a_link_is_left_out_while_its_address_is_empty() -> None:
    start = LINES.index("{{- with .Values.monitoring.pageURL }}")
    assert LINES[start + 1 : start + 3] == ['  page_url: {{ . }}/?job={{ "{{" }} $labels.name }}', "{{- end }}"]
    start = LINES.index("{{- with .Values.monitoring.runbookURL }}")
    assert LINES[start + 1 : start + 3] == ["  runbook_url: {{ . }}/A.md", "{{- end }}"]


def test_the_templates_of_prometheus_are_kept() -> None:
    assert """  text: '{{ "{{" }} $value }}'""" in LINES
