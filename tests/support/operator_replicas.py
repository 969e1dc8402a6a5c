"""The replicas of the operator on a cluster where Sluice is installed, and a time without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.processes import pod_process
from support.site import eventually, instant

SYSTEM = ("-n", "sluice-system")
OPERATOR = ("deployment/sluice-operator", *SYSTEM)
LEASE = ("lease", "sluice-operator", *SYSTEM)


def replicas(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Return the operator's pods."""
    selector = ("-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator")
    found: list[dict[str, Any]] = kubectl.get("pods", *selector)["items"]
    return found


def lease(kubectl: Kubectl) -> tuple[str, datetime]:
    """Return the pod that holds the Lease, and the time of its last renewal."""
    spec = kubectl.get(*LEASE)["spec"]
    return spec.get("holderIdentity", "").rpartition("_")[0], instant(spec["renewTime"])


def leader(kubectl: Kubectl) -> str:
    """Return the replica that leads, or "" if the Lease has no holder or does not exist."""
    try:
        return lease(kubectl)[0]
    except KubectlError:
        return ""


def settled_leader(kubectl: Kubectl) -> str:
    """Return the replica that leads, once both are ready."""
    ready = ("get", *OPERATOR, "-o", "jsonpath={.status.readyReplicas}/{.status.replicas}")
    eventually(lambda: kubectl(*ready) == "2/2", seconds=30)
    return eventually(lambda: leader(kubectl))


def process(pod: str) -> int:
    """Return the process ID of a replica."""
    return pod_process("sluice-operator", f"POD_NAME={pod}")


def stop_operator(kubectl: Kubectl) -> None:
    """Scale the operator to zero, and wait until its pods are gone."""
    kubectl("scale", *OPERATOR, "--replicas=0")
    eventually(lambda: not replicas(kubectl), seconds=60)


@contextmanager
def no_operator(kubectl: Kubectl) -> Iterator[None]:
    """Scale the operator to zero while the context lasts."""
    before = kubectl.get("deployment", "sluice-operator", "-n", "sluice-system")["spec"]["replicas"]
    try:
        stop_operator(kubectl)
        yield
    finally:
        kubectl("scale", *OPERATOR, f"--replicas={before}")
        kubectl("rollout", "status", *OPERATOR, "--timeout=90s")
