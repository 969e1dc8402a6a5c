"""Pauses that a test applies as users do: IngestPauses and ClusterIngestPauses."""

from __future__ import annotations

from typing import Any, Final

from sluice_devcluster.kubectl import Kubectl

REASON: Final = "vendor incident"


def apply_pause(kubectl: Kubectl, name: str, namespace: str = "", **spec: Any) -> None:
    """Create or change an IngestPause, or without a namespace a ClusterIngestPause. Its reason is REASON by default."""
    kind = "IngestPause" if namespace else "ClusterIngestPause"
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    document = {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": metadata}
    kubectl.apply([document | {"spec": {"reason": REASON, **spec}}])
