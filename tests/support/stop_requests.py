"""The ways in which a user stops a job with kubectl."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from sluice_devcluster.kubectl import Kubectl, KubectlError

Request = Callable[[Kubectl, dict[str, Any], dict[str, Any]], object]


def by_patch(kubectl: Kubectl, job: dict[str, Any], change: dict[str, Any]) -> None:
    """Send a merge patch of the spec."""
    meta = job["metadata"]
    patch = json.dumps({"spec": change})
    kubectl("patch", "ij", meta["name"], "-n", meta["namespace"], "--type=merge", "-p", patch)


def by_client_side_apply(kubectl: Kubectl, job: dict[str, Any], change: dict[str, Any]) -> None:
    """Run `kubectl apply` on the document with the change in it."""
    kubectl("apply", "-f", "-", text=_changed(job, change))


def by_server_side_apply(kubectl: Kubectl, job: dict[str, Any], change: dict[str, Any]) -> None:
    """Run `kubectl apply --server-side` on the document with the change in it, as another field manager."""
    options = ("--server-side", "--force-conflicts", "--field-manager=somebody")
    kubectl("apply", *options, "-f", "-", text=_changed(job, change))


def by_replace(kubectl: Kubectl, job: dict[str, Any], change: dict[str, Any]) -> None:
    """Run `kubectl replace` with the document and the change in it, again where the status has just changed."""
    for attempt in range(10):
        try:
            kubectl("replace", "-f", "-", text=_changed(job, change))
        except KubectlError as error:
            if attempt == 9 or "the object has been modified" not in str(error):
                raise
        else:
            return


REQUESTS: dict[str, Request] = {
    "patch": by_patch,
    "client-side apply": by_client_side_apply,
    "server-side apply": by_server_side_apply,
}


def _changed(job: dict[str, Any], change: dict[str, Any]) -> str:
    meta = {name: job["metadata"][name] for name in ("name", "namespace")}
    document = {"apiVersion": job["apiVersion"], "kind": job["kind"], "metadata": meta, "spec": job["spec"] | change}
    return json.dumps(copy.deepcopy(document))
