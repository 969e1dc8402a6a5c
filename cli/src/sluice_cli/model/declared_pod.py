"""The pod of a job that has none, as far as a purge needs it: built from the job and the operator's Deployment."""

from __future__ import annotations

import json
from typing import Any

from ..contract import contract
from .fields import child, items, objects, text

_OPERATOR_CONTAINER = "operator"
_IMAGE, _PROJECT, _USER_IDS = "SLUICE_RUNTIME_IMAGE", "SLUICE_FIRESTORE_PROJECT", "SLUICE_POD_USER_ID"
# Variables of the operator, and those of the pods that have the same value.
_PASSED_ON = {
    "FIRESTORE_EMULATOR_HOST": "FIRESTORE_EMULATOR_HOST",
    "SLUICE_POD_HTTPS_PROXY": "HTTPS_PROXY",
    "SLUICE_POD_HTTP_PROXY": "HTTP_PROXY",
    "SLUICE_POD_NO_PROXY": "NO_PROXY",
}
_NEEDED = (_IMAGE, _PROJECT, _USER_IDS, *_PASSED_ON)
_UID = 65532
_VOLUME = "firestore"


def declared_pod(job: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any] | None:
    """Return the pod that the operator would create for a job, without what a purge does not use.

    Return None if the operator takes one of the settings from somewhere else than its Deployment: a wrong guess could
    delete the documents of another project.
    """
    variables = _variables(deployment)
    if variables is None or not variables.get(_IMAGE):
        return None
    metadata, spec = child(job, "metadata"), child(job, "spec")
    has_user_ids = variables.get(_USER_IDS) != "platform"
    user_ids = {"runAsUser": _UID, "runAsGroup": _UID, "fsGroup": _UID} if has_user_ids else {}
    secret = text(spec, "firestore", "credentialsSecretRef", "name")
    declared: dict[str, Any] = child(spec, "pod")
    return {
        "metadata": {
            "namespace": metadata.get("namespace"),
            "labels": {
                "sluice.dev/job": metadata.get("name"),
                "sluice.dev/tenant": spec.get("tenant"),
                "sluice.dev/provider": spec.get("provider"),
            },
        },
        "spec": {
            "serviceAccountName": contract()["serviceAccount"],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **user_ids},
            **{
                name: declared[name] for name in ("imagePullSecrets", "nodeSelector", "tolerations") if name in declared
            },
            "containers": [_container(metadata, spec, variables, has_key=bool(secret))],
            "volumes": [_secret_volume(secret, 0o440 if has_user_ids else 0o444)] if secret else [],
        },
    }


def _container(
    metadata: dict[str, Any], spec: dict[str, Any], variables: dict[str, str], *, has_key: bool
) -> dict[str, Any]:
    return {
        "name": contract()["container"],
        "image": variables[_IMAGE],
        "command": ["sluice-runtime"],
        "env": [
            {"name": "SLUICE_JOB", "value": _injected_job(metadata, spec, variables)},
            {"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            *({"name": own, "value": variables[name]} for name, own in _PASSED_ON.items() if variables.get(name)),
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "192Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [_mount()] if has_key else [],
    }


def _variables(deployment: dict[str, Any]) -> dict[str, str] | None:
    """Return the variables of the operator; None if one that is needed has its value from somewhere else."""
    containers = objects(deployment, "spec", "template", "spec", "containers")
    operator = next((each for each in containers if each.get("name") == _OPERATOR_CONTAINER), {})
    variables = objects(operator, "env")
    if items(operator, "envFrom") or any(each.get("name") in _NEEDED and "valueFrom" in each for each in variables):
        return None
    return {text(each, "name"): str(each.get("value") or "") for each in variables}


def _injected_job(metadata: dict[str, Any], spec: dict[str, Any], variables: dict[str, str]) -> str:
    """Return the document with which the operator passes a job to its pod, with only one symbol."""
    project = text(spec, "firestore", "projectID") or variables.get(_PROJECT) or contract()["defaultProject"]
    kept: dict[str, Any] = {name: spec[name] for name in ("tenant", "provider", "firestore") if name in spec}
    document = {
        "namespace": metadata.get("namespace"),
        "name": metadata.get("name"),
        "uid": metadata.get("uid", ""),
        "generation": metadata.get("generation", 0),
        "epoch": 0,
        "projectID": project,
        "spec": {**kept, "symbols": items(spec, "symbols")[:1]},
    }
    return json.dumps(document)


def _mount() -> dict[str, Any]:
    return {"name": _VOLUME, "mountPath": contract()["firestoreDirectory"], "readOnly": True}


def _secret_volume(name: str, mode: int) -> dict[str, Any]:
    key = contract()["firestoreKey"]
    source = {"secretName": name, "optional": True, "defaultMode": mode, "items": [{"key": key, "path": key}]}
    return {"name": _VOLUME, "secret": source}
