"""Installs the operator in other ways than the base does, and reads the endpoints of its replica."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import OPERATOR, SYSTEM_NAMESPACE, Quickstart, install_operator
from sluice_manifests.objects import only_object_of_kind, parse_objects
from support.cluster import ROOT, operator_settings
from support.deadlines import scaled
from support.site import eventually

MANIFESTS = ROOT / "manifests"
NAME = "sluice-operator"
Manifest = dict[str, Any]


class InstalledOperator:
    """An operator with one replica."""

    def __init__(self, kubectl: Kubectl, namespace: str = SYSTEM_NAMESPACE, deployment: str = NAME) -> None:
        self.namespace = namespace
        self._kubectl = kubectl
        self._deployment = (f"deployment/{deployment}", "-n", namespace)

    def restart(self, *environment: str) -> None:
        """Stop the replica, set variables (`NAME=value`, or `NAME-` to remove it), and start it. Do not wait for it."""
        self._kubectl("scale", *self._deployment, "--replicas=0")
        eventually(lambda: not self._pods(), 30)
        if environment:
            self._kubectl("set", "env", *self._deployment, *environment)
        self._kubectl("scale", *self._deployment, "--replicas=1")

    def wait_until_ready(self) -> None:
        """Wait until the replica is ready."""
        self._kubectl("rollout", "status", *self._deployment, "--timeout=60s")

    def readiness(self) -> tuple[int, str]:
        """Return the status and the text of /readyz; (0, "") while there is no replica that answers."""
        return self._get("/readyz")

    def metrics(self) -> str:
        """Return the text of /metrics."""
        return self._get("/metrics")[1]

    def log(self) -> str:
        """Return the log of the replica."""
        return self._kubectl("logs", *self._deployment)

    def _pods(self) -> list[Manifest]:
        found: list[Manifest] = self._kubectl.get("pods", "-n", self.namespace, "-l", f"app.kubernetes.io/name={NAME}")[
            "items"
        ]
        return found

    def _get(self, path: str) -> tuple[int, str]:
        running = [pod for pod in self._pods() if "podIP" in pod["status"]]
        if len(running) != 1:
            return 0, ""
        url = f"http://{running[0]['status']['podIP']}:8080{path}"
        try:
            with urllib.request.urlopen(url, timeout=scaled(10)) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""


def kustomized(kubectl: Kubectl, folder: Path, *lines: str) -> list[Manifest]:
    """Return the objects of the base with more lines in the kustomization, which is built in a new folder."""
    folder.mkdir()
    base = os.path.relpath(MANIFESTS / "base", folder.resolve())
    (folder / "kustomization.yaml").write_text("\n".join((f"resources: [{base}]", *lines)))
    return parse_objects(kubectl("kustomize", str(folder)))


@contextmanager
def installed(site: Quickstart, objects: list[Manifest], is_ready: bool = True) -> Iterator[InstalledOperator]:
    """Run these objects instead of the base's operator. At the end, remove what the base does not have."""
    kubectl, deployment = site.kubectl, only_object_of_kind(objects, "Deployment")
    deployment["spec"]["replicas"] = 1
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "FIRESTORE_EMULATOR_HOST", "value": site.emulator})
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    kubectl("delete", OPERATOR, "-n", SYSTEM_NAMESPACE)
    kubectl.apply(objects)
    found = InstalledOperator(kubectl, namespace, name)
    try:
        if is_ready:
            found.wait_until_ready()
        yield found
    finally:
        _delete_what_the_base_lacks(kubectl, objects)
        install_operator(kubectl, MANIFESTS, operator_settings(site.emulator))


def _delete_what_the_base_lacks(kubectl: Kubectl, objects: list[Manifest]) -> None:
    base = {_identity(each) for each in parse_objects(kubectl("kustomize", str(MANIFESTS / "base")))}
    for kind, namespace, name in map(_identity, objects):
        if (kind, namespace, name) not in base:
            place = ("-n", namespace) if namespace else ()
            kubectl("delete", kind, name, *place, "--ignore-not-found", "--wait=false")


def _identity(each: Manifest) -> tuple[str, str, str]:
    return each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]
