"""The replicas of the operator on a cluster where Sluice is installed, and a time without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.site import eventually

OPERATOR = ("deployment/sluice-operator", "-n", "sluice-system")


def replicas(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Return the operator's pods."""
    selector = ("-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator")
    found: list[dict[str, Any]] = kubectl.get("pods", *selector)["items"]
    return found


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
