"""kubectl with the token of another account, so that the API server does not treat it as the administrator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sluice_devcluster import binaries
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.timed_kubectl import TimedKubectl


class Callers:
    """Makes kubectl callers. Their kubeconfigs hold a token and no client certificate, which would take precedence."""

    def __init__(self, site: Quickstart, directory: Path) -> None:
        """Write the kubeconfigs into `directory`."""
        self._site = site
        self._directory = directory
        self._made = 0

    def account(self, namespace: str, name: str, pod: str = "") -> Kubectl:
        """Return kubectl as a ServiceAccount. With `pod`, the token is bound to this pod, as a mounted token is."""
        return self._with(token(self._site.kubectl, namespace, name, pod))

    def _with(self, token: str) -> Kubectl:
        config = json.loads(self._site.kubectl("config", "view", "--raw", "-o", "json"))
        cluster = config["clusters"][0]["name"]
        config["users"] = [{"name": "caller", "user": {"token": token}}]
        config["contexts"] = [{"name": "caller", "context": {"cluster": cluster, "user": "caller"}}]
        config["current-context"] = "caller"
        self._made += 1
        path = self._directory / f"caller-{self._made}"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return TimedKubectl(binaries.provide_binaries(lambda _: None).kubectl, path)


Manifest = dict[str, Any]


def token(kubectl: Kubectl, namespace: str, account: str, pod: str = "") -> str:
    """Return a token of a ServiceAccount, bound to `pod` if one is given."""
    bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}") if pod else ()
    return kubectl("create", "token", account, "-n", namespace, *bound).strip()


def job(namespace: str, tenant: str, name: str = "another") -> Manifest:
    """Return the manifest of a job for a tenant."""
    spec = {"tenant": tenant, "provider": "synthetic", "symbols": ["SPY"]}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestJob", "metadata": meta, "spec": spec}


def ingest_pod(namespace: str, tenant: str, job: str = "another") -> Manifest:
    """Return the manifest of a pod as the operator makes it, as far as the policies check it."""
    labels = {
        "app.kubernetes.io/managed-by": "sluice-operator",
        "sluice.dev/job": job,
        "sluice.dev/tenant": tenant,
        "sluice.dev/provider": "synthetic",
    }
    found = pod(namespace, account="sluice-ingest", name=f"{job}-ingest", labels=labels)
    found["spec"]["containers"][0] |= {"name": "ingest", "command": ["sluice-runtime"]}
    return found


def pod(namespace: str, account: str = "default", **meta: Any) -> Manifest:
    """Return the manifest of a pod that Pod Security's restricted level admits."""
    container = {
        "name": "main",
        "image": "none",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security, "serviceAccountName": account}
    named = {"name": "made-by-hand", "namespace": namespace} | meta
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec}
