"""What an uninstalled Sluice leaves in a cluster."""

from __future__ import annotations

from sluice_devcluster.kubectl import Kubectl

# What Kubernetes itself creates in each namespace, and what it reports there.
_OF_KUBERNETES = ("configmap/kube-root-ca.crt", "serviceaccount/default")
_REPORTS = ("event/", "event.events.k8s.io/", "podmetrics.metrics.k8s.io/")


def cluster_objects_of_sluice(kubectl: Kubectl) -> list[str]:
    """Return the objects of Sluice that belong to no namespace, each as kind/name."""
    return [name for name in _names(kubectl, namespaced=False) if "sluice" in name.replace("sluice-e2e", "")]


def objects_of_namespace(kubectl: Kubectl, namespace: str) -> list[str]:
    """Return all objects of a namespace except Kubernetes' own, each as kind/name."""
    names = _names(kubectl, "-n", namespace, namespaced=True)
    return [name for name in names if name not in _OF_KUBERNETES and not name.startswith(_REPORTS)]


def _names(kubectl: Kubectl, *where: str, namespaced: bool) -> list[str]:
    listed = f"--namespaced={str(namespaced).lower()}"
    kinds = kubectl("api-resources", listed, "--verbs=list", "-o", "name").split()
    return kubectl("get", ",".join(kinds), *where, "-o", "name", "--ignore-not-found").split()
