"""A webhook that changes the pods of one namespace, as meshes and policy engines do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.admission_webhook import Manifest, Patch, mutating_webhook

# What Pod Security's restricted level requires of each container.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


class PodWebhook:
    """The state of the webhook. Each created pod gets the patch that is set at that time."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self.pods: list[Manifest] = []  # the pods as they were requested

    def record_and_patch(self, pod: Manifest) -> Patch:
        """Record a pod that is created, and return its patch."""
        self.pods.append(pod)
        return self.patch


@contextmanager
def pod_webhook(kubectl: Kubectl, namespace: str, folder: Path, patch: Patch) -> Iterator[PodWebhook]:
    """Serve a webhook that the API server calls for each pod that is created in the namespace."""
    found = PodWebhook(patch)
    labels = {"kubernetes.io/metadata.name": namespace}
    with mutating_webhook(kubectl, f"pods-of-{namespace}", labels, folder, found.record_and_patch):
        yield found


def injected_container(name: str, *command: str, **fields: Any) -> dict[str, Any]:
    """Return a container as a webhook injects it."""
    return {"name": name, "image": "ignored", "command": list(command), "securityContext": RESTRICTED, **fields}
