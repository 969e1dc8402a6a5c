"""The objects of manifests/monitoring as Helm templates: with labels of the user, and with the addresses in alerts."""

from __future__ import annotations

import re

from sluice_manifests.objects import Manifest
from sluice_manifests.switches import KindSwitch
from sluice_manifests.templates import helm_template

# The addresses in manifests/monitoring, and the values that replace them. The longer one comes first.
ADDRESSES = {
    "https://sluice.example/docs/runbooks": "monitoring.runbookURL",
    "https://sluice.example": "monitoring.pageURL",
}
_EXTRA_LABELS = """\
    {{- with .Values.monitoring.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
"""
# The labels of the object itself, which are the first key with this indentation.
_LABELS = re.compile(r"^  labels:\n(?:    \S.*\n)+", re.MULTILINE)


def monitoring_template(manifest: Manifest, namespace: str, switch: KindSwitch) -> str:
    """Return an object as a Helm template with the labels that the user adds.

    The annotations that are links are left out while the value of their address is empty.
    """
    text = helm_template(manifest, namespace, switch)
    text = _LABELS.sub(lambda found: found[0] + _EXTRA_LABELS, text, count=1)
    return "".join(_with_address(line) for line in text.splitlines(keepends=True))


def _with_address(line: str) -> str:
    """Return a line with the address that a value sets, or the line itself if it has no address of ours."""
    for address, value in ADDRESSES.items():
        if address in line:
            return f"{{{{- with .Values.{value} }}}}\n{line.replace(address, '{{ . }}')}{{{{- end }}}}\n"
    return line
