"""What OpenShift's SecurityContextConstraints restricted-v2 do to a pod, for the API server of a test.

A policy refuses every pod that restricted-v2 refuses, and a webhook assigns the user and the group of the namespace to
a pod that names none. Both apply only to namespaces with their labels.

Source: docs.openshift.com, "Managing security context constraints".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl

from .admission_webhook import mutating_webhook

Manifest = dict[str, Any]

NAME = "restricted-v2"
ENFORCED = {"test.sluice.dev/restricted-v2": "enforced"}
ASSIGNED = {"test.sluice.dev/user-id": "assigned"}
# The ranges of one namespace. OpenShift stores them in annotations of the namespace.
FIRST_ID, LAST_ID = 1000570000, 1000579999
ANNOTATION = "openshift.io/scc"

_IN_RANGE = f">= {FIRST_ID} && {{0}} <= {LAST_ID}"
_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")


def _absent_or_in_range(field: str) -> str:
    return f"!has({field}) || ({field} {_IN_RANGE.format(field)})"


_POD = "object.spec.securityContext"
_VALIDATIONS = {
    _absent_or_in_range(f"{_POD}.runAsUser"): f"runAsUser must be in the ranges: [{FIRST_ID}, {LAST_ID}]",
    _absent_or_in_range(f"{_POD}.fsGroup"): "fsGroup is not an allowed group",
    f"!has({_POD}.supplementalGroups) || {_POD}.supplementalGroups.all(g, g {_IN_RANGE.format('g')})": (
        "supplementalGroups has a group that is not allowed"
    ),
    f"object.spec.containers.all(c, {_absent_or_in_range('c.securityContext.runAsUser')})": (
        f"runAsUser of a container must be in the ranges: [{FIRST_ID}, {LAST_ID}]"
    ),
    "object.spec.containers.all(c, c.securityContext.allowPrivilegeEscalation == false"
    " && 'ALL' in c.securityContext.capabilities.drop)": "privileges and capabilities are not allowed",
    "object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort)))": "host ports are not allowed",
    f"{_POD}.runAsNonRoot == true && {_POD}.seccompProfile.type == 'RuntimeDefault'": (
        "runAsNonRoot and the seccomp profile RuntimeDefault are required"
    ),
    "!has(object.spec.hostNetwork) && !has(object.spec.hostPID) && !has(object.spec.hostIPC)": (
        "the namespaces of the host are not allowed"
    ),
    "!has(object.spec.volumes) || object.spec.volumes.all(v, "
    + " || ".join(f"has(v.{volume})" for volume in _VOLUMES)
    + ")": "a volume has a type that is not allowed",
}
_PODS: Manifest = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}


def restricted_policy() -> list[Manifest]:
    """Return the policy, with its binding, that refuses each pod that restricted-v2 refuses."""
    group, name = "admissionregistration.k8s.io/v1", {"name": NAME}
    constraints = {"resourceRules": [_PODS], "namespaceSelector": {"matchLabels": ENFORCED}}
    validations = [{"expression": rule, "message": message} for rule, message in _VALIDATIONS.items()]
    return [
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": name,
            "spec": {"failurePolicy": "Fail", "matchConstraints": constraints, "validations": validations},
        },
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": name,
            "spec": {"policyName": NAME, "validationActions": ["Deny"]},
        },
    ]


def assignment_patch(pod: Manifest) -> list[Manifest]:
    """Return the JSON patch that gives a pod without a user and a group those of the namespace."""
    spec, metadata = pod["spec"], pod["metadata"]
    own = spec.get("securityContext", {})
    security = {"fsGroup": FIRST_ID, "seLinuxOptions": {"level": "s0:c24,c9"}} | own
    annotations = metadata.get("annotations", {}) | {ANNOTATION: NAME}
    containers = [
        each | {"securityContext": {"runAsUser": own.get("runAsUser", FIRST_ID)} | each.get("securityContext", {})}
        for each in spec["containers"]
    ]
    return [
        {"op": "add", "path": "/spec/securityContext", "value": security},
        {"op": "add", "path": "/spec/containers", "value": containers},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]


@contextmanager
def restricted_platform(kubectl: Kubectl, folder: Path) -> Iterator[None]:
    """Install the policy and the webhook while the context lasts; the webhook's certificate is written to `folder`."""
    kubectl.apply(restricted_policy())
    try:
        with mutating_webhook(kubectl, NAME, ASSIGNED, folder, assignment_patch):
            yield
    finally:
        kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", NAME)
