"""What GitOps tools do to the jobs of Git at each reconciliation: the apply step of each tool, on a real API server.

Argo CD applies with the code of kubectl. Flux (package ssa) first takes over managers whose names begin with kubectl.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from sluice_devcluster.kubectl import Kubectl

Job = dict[str, Any]
Reconcile = Callable[[Kubectl, list[Job]], None]

STOP_FIELDS = ("enabled", "pause", "pausedSymbols")
ARGO_CD = "argocd-controller"
FLUX = "kustomize-controller"
MERGE = {"kustomize.toolkit.fluxcd.io/ssa": "Merge"}


def argo_cd_client_side(kubectl: Kubectl, jobs: list[Job]) -> None:
    """Apply the jobs as a sync of Argo CD does by default: a merge of Git, the last apply and the live object."""
    kubectl("apply", f"--field-manager={ARGO_CD}", "-f", "-", text=_as_list(jobs))


def argo_cd_server_side(kubectl: Kubectl, jobs: list[Job]) -> None:
    """Apply the jobs as a sync of Argo CD does with the option ServerSideApply=true."""
    _apply_on_server(kubectl, jobs, ARGO_CD)


def respecting_ignored_differences(reconcile: Reconcile) -> Reconcile:
    """Return a sync of Argo CD with `ignoreDifferences` for the stop fields and `RespectIgnoreDifferences=true`.

    Argo CD then replaces these fields by their live values before it applies.
    """

    def sync(kubectl: Kubectl, jobs: list[Job]) -> None:
        live = live_jobs(kubectl, jobs)
        changed = copy.deepcopy(jobs)
        for job in changed:
            if found := live.get(job["metadata"]["name"]):
                kept = {name: value for name, value in job["spec"].items() if name not in STOP_FIELDS}
                job["spec"] = kept | {name: found["spec"][name] for name in STOP_FIELDS if name in found["spec"]}
        reconcile(kubectl, changed)

    return sync


def flux(kubectl: Kubectl, jobs: list[Job]) -> None:
    """Take over fields from managers whose names begin with kubectl, then apply the jobs by force."""
    live = live_jobs(kubectl, jobs)
    for job in jobs:
        found = live.get(job["metadata"]["name"])
        if found and MERGE.items().isdisjoint(job["metadata"].get("annotations", {}).items()):
            _take_over_from_kubectl(kubectl, found)
    _apply_on_server(kubectl, jobs, FLUX)


def flux_with_merge(kubectl: Kubectl, jobs: list[Job]) -> None:
    """Reconcile the jobs with the annotation with which Flux takes no field over."""
    annotated = [job | {"metadata": job["metadata"] | {"annotations": MERGE}} for job in jobs]
    flux(kubectl, annotated)


def flux_with_ignore(kubectl: Kubectl, jobs: list[Job]) -> None:
    """Reconcile the jobs with `spec.ignore` for the stop fields.

    Of a field that differs, Flux applies the live value, or nothing if another manager applies it.
    """
    live = live_jobs(kubectl, jobs)
    changed = copy.deepcopy(jobs)
    for job in changed:
        found = live.get(job["metadata"]["name"])
        if found is None:
            continue
        for name in STOP_FIELDS:
            if name in job["spec"] and name in found["spec"] and job["spec"][name] != found["spec"][name]:
                if _is_applied_by_another(found, name):
                    del job["spec"][name]
                else:
                    job["spec"][name] = found["spec"][name]
    flux(kubectl, changed)


def live_jobs(kubectl: Kubectl, jobs: list[Job]) -> dict[str, Job]:
    """Return the live objects of the namespace of the jobs, by name, with the managers of their fields."""
    namespace = jobs[0]["metadata"]["namespace"]
    found = kubectl.get("ij", "-n", namespace, "--show-managed-fields")["items"]
    return {each["metadata"]["name"]: each for each in found}


def _as_list(jobs: list[Job]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": jobs})


def _apply_on_server(kubectl: Kubectl, jobs: list[Job], manager: str) -> None:
    options = ("--server-side", "--force-conflicts", f"--field-manager={manager}")
    kubectl("apply", *options, "-f", "-", text=_as_list(jobs))


def _take_over_from_kubectl(kubectl: Kubectl, live: Job) -> None:
    """Merge the entries of kubectl's managers into the entry of Flux, as PatchReplaceFieldsManagers of Flux does."""
    entries = live["metadata"]["managedFields"]
    own = next((each for each in entries if (each["manager"], each["operation"]) == (FLUX, "Apply")), None)
    taken = [each for each in entries if each["manager"].startswith("kubectl") and "subresource" not in each]
    if not taken:
        return
    merged = copy.deepcopy(own or taken[0]) | {"manager": FLUX, "operation": "Apply"}
    for each in taken:
        _add_fields(merged["fieldsV1"], each["fieldsV1"])
    kept = [each for each in entries if each is not own and each not in taken]
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [*kept, merged]}]
    name, namespace = live["metadata"]["name"], live["metadata"]["namespace"]
    options = ("--type=json", f"--field-manager={FLUX}", "-p", json.dumps(patch))
    kubectl("patch", "ij", name, "-n", namespace, *options)


def _add_fields(target: dict[str, Any], added: dict[str, Any]) -> None:
    for name, below in added.items():
        _add_fields(target.setdefault(name, {}), below)


def _is_applied_by_another(live: Job, field: str) -> bool:
    return any(
        each["operation"] == "Apply"
        and each["manager"] != FLUX
        and f"f:{field}" in each.get("fieldsV1", {}).get("f:spec", {})
        for each in live["metadata"]["managedFields"]
    )
