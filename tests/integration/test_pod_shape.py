"""The operator's token creates pods of one shape only, in a namespace without Pod Security. One pod for each rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_contract import conditions as c
from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from support.callers import Callers
from support.changed_manifests import REMOVED, Manifest, with_field
from support.changed_manifests import Path as FieldPath
from support.cluster import ROOT
from support.pod_webhook import injected_container, pod_webhook
from support.site import Tenant, eventually

# The largest pod that the operator makes, as the unit tests compare it.
POD = yaml.safe_load((ROOT / "tests/golden/pod-alpaca.yaml").read_text())
SPEC: FieldPath = ("spec",)
SECURITY: FieldPath = (*SPEC, "securityContext")
INGEST: FieldPath = (*SPEC, "containers", 0)
OF_CONTAINER: FieldPath = (*INGEST, "securityContext")
SECOND: FieldPath = (*SPEC, "containers", 1)
VOLUME: FieldPath = (*SPEC, "volumes", len(POD["spec"]["volumes"]))
PROXY = injected_container("mesh-proxy", "sleep", "100000")
ROOT_INIT = PROXY | {"securityContext": PROXY["securityContext"] | {"runAsUser": 0}}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/ingest"
CLAIM_TEMPLATE = {
    "volumeClaimTemplate": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
}

NAME = "has the name of its job, as in the label sluice.dev/job, with the suffix -ingest"
TENANT = "must be acme, as on the namespace"
COMMAND = "needs one container ingest whose command is sluice-runtime"
OTHERS = r"other containers than ingest \(mesh-proxy\).*sluice\.dev/injected-containers=true"
HOST = "uses no network, processes, IPC or ports of its node"
VOLUMES = "are of the kinds configMap, emptyDir, persistentVolumeClaim, projected and secret; remove extra"
PRIVILEGES = "is not privileged, and drops ALL capabilities"
USER = "No container of an ingest pod runs as root"
SECCOMP = "has the seccomp profile RuntimeDefault or Localhost"
KERNEL = "has the default procMount and AppArmor profile, no SELinux user"
SYSCTLS = "sets only the sysctls that Pod Security allows"
PROBES = "probes and lifecycle hooks of an ingest pod name no host"

REFUSED: dict[str, tuple[FieldPath, object, str]] = {
    "another name": (("metadata", "name"), "another-ingest", NAME),
    "no job": (("metadata", "labels", "sluice.dev/job"), REMOVED, NAME),
    "another tenant": (("metadata", "labels", "sluice.dev/tenant"), "globex", TENANT),
    "no tenant": (("metadata", "labels", "sluice.dev/tenant"), REMOVED, TENANT),
    "another container": ((*INGEST, "name"), "main", COMMAND),
    "another command": ((*INGEST, "command"), ["sh"], COMMAND),
    "the image's command": ((*INGEST, "command"), REMOVED, COMMAND),
    "a second container": (SECOND, PROXY, OTHERS),
    "an init container": ((*SPEC, "initContainers"), [PROXY], OTHERS),
    "the node's network": ((*SPEC, "hostNetwork"), True, HOST),
    "the node's processes": ((*SPEC, "hostPID"), True, HOST),
    "the node's IPC": ((*SPEC, "hostIPC"), True, HOST),
    "a port of the node": ((*INGEST, "ports", 0, "hostPort"), 8080, HOST),
    "a folder of the node": (VOLUME, {"name": "extra", "hostPath": {"path": "/"}}, VOLUMES),
    "a file server": (VOLUME, {"name": "extra", "nfs": {"server": "files", "path": "/"}}, VOLUMES),
    "a volume of a driver": (VOLUME, {"name": "extra", "csi": {"driver": "secrets.example.com"}}, VOLUMES),
    "a new claim": (VOLUME, {"name": "extra", "ephemeral": CLAIM_TEMPLATE}, VOLUMES),
    "fields of the pod": (VOLUME, {"name": "extra", "downwardAPI": {}}, VOLUMES),
    "privileged": (OF_CONTAINER, {"privileged": True}, PRIVILEGES),
    "escalation": ((*OF_CONTAINER, "allowPrivilegeEscalation"), True, PRIVILEGES),
    "escalation by default": ((*OF_CONTAINER, "allowPrivilegeEscalation"), REMOVED, PRIVILEGES),
    "no security context": (OF_CONTAINER, REMOVED, PRIVILEGES),
    "default capabilities": ((*OF_CONTAINER, "capabilities"), REMOVED, PRIVILEGES),
    "some capabilities": ((*OF_CONTAINER, "capabilities", "drop"), ["NET_RAW"], PRIVILEGES),
    "an added capability": ((*OF_CONTAINER, "capabilities", "add"), ["SYS_ADMIN"], PRIVILEGES),
    "any user": ((*SECURITY, "runAsNonRoot"), REMOVED, USER),
    "any user in the container": ((*OF_CONTAINER, "runAsNonRoot"), False, USER),
    "root": ((*SECURITY, "runAsUser"), 0, USER),
    "root in the container": ((*OF_CONTAINER, "runAsUser"), 0, USER),
    "no seccomp profile": ((*SECURITY, "seccompProfile"), REMOVED, SECCOMP),
    "unconfined": ((*SECURITY, "seccompProfile", "type"), "Unconfined", SECCOMP),
    "unconfined container": ((*OF_CONTAINER, "seccompProfile"), {"type": "Unconfined"}, SECCOMP),
    "an SELinux user": ((*SECURITY, "seLinuxOptions"), {"user": "system_u"}, KERNEL),
    "an SELinux role": ((*OF_CONTAINER, "seLinuxOptions"), {"role": "sysadm_r"}, KERNEL),
    "an SELinux type": ((*OF_CONTAINER, "seLinuxOptions"), {"type": "spc_t"}, KERNEL),
    "no AppArmor profile": ((*OF_CONTAINER, "appArmorProfile"), {"type": "Unconfined"}, KERNEL),
    "no AppArmor profile by annotation": (("metadata", "annotations", APPARMOR), "unconfined", KERNEL),
    "a sysctl": ((*SECURITY, "sysctls"), [{"name": "kernel.msgmax", "value": "1"}], SYSCTLS),
    "a probe of a host": ((*INGEST, "livenessProbe", "httpGet", "host"), "169.254.169.254", PROBES),
    "a hook that calls a host": (
        (*INGEST, "lifecycle"), {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}, PROBES
    ),
}  # fmt: skip
ADMITTED: dict[str, tuple[FieldPath, object]] = {
    "the golden pod": (("metadata", "name"), POD["metadata"]["name"]),
    "a tape in a claim": (VOLUME, {"name": "tape", "persistentVolumeClaim": {"claimName": "tape", "readOnly": True}}),
    "a token of another audience": (
        VOLUME, {"name": "cloud", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "c"}}]}}
    ),
    "no user ID": (SECURITY, {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),
    "an SELinux level": ((*SECURITY, "seLinuxOptions"), {"level": "s0:c24,c9"}),
    "a low port": ((*OF_CONTAINER, "capabilities", "add"), ["NET_BIND_SERVICE"]),
    "a safe sysctl": ((*SECURITY, "sysctls"), [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]),
    "other arguments": ((*INGEST, "args"), ["--version"]),
}  # fmt: skip


def namespace_with_account(kubectl: Kubectl, name: str, **labels: str) -> str:
    """Create a namespace of tenant acme without a Pod Security level, and its ServiceAccount. Return its name."""
    metadata = {"name": name, "labels": {"sluice.dev/tenant": "acme", **labels}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sluice-ingest", "namespace": name}}
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    kubectl.apply([account])
    return name


@pytest.fixture(scope="module")
def operator(site: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """kubectl as the operator, and two namespaces: `shape`, and `mesh`, in which containers may be injected."""
    namespace_with_account(site.kubectl, "shape")
    namespace_with_account(site.kubectl, "mesh", **{"sluice.dev/injected-containers": "true"})
    yield Callers(site, tmp_path_factory.mktemp("callers")).account("sluice-system", "sluice-operator")
    site.kubectl("delete", "namespace", "shape", "mesh", "--wait=false")


def created(operator: Kubectl, pod: Manifest, namespace: str = "shape") -> Manifest:
    """Create the pod as a dry run. Return the pod as the API server would store it."""
    text = json.dumps(with_field(pod, ("metadata", "namespace"), namespace))
    found: Manifest = json.loads(operator("create", "--dry-run=server", "-o", "json", "-f", "-", text=text))
    return found


@pytest.mark.parametrize("case", REFUSED)
def test_the_operator_cannot_create_a_pod_of_another_shape(case: str, operator: Kubectl) -> None:
    path, value, sentence = REFUSED[case]
    with pytest.raises(KubectlError, match=rf"'sluice-pod-shape' denied request: .*{sentence}"):
        created(operator, with_field(POD, path, value))


@pytest.mark.parametrize("case", ADMITTED)
def test_the_operator_creates_each_pod_that_a_job_or_a_platform_needs(case: str, operator: Kubectl) -> None:
    path, value = ADMITTED[case]
    created(operator, with_field(POD, path, value))


def test_an_unmasked_proc_is_refused_or_not_known_to_the_api_server(operator: Kubectl) -> None:
    changed = with_field(with_field(POD, (*OF_CONTAINER, "procMount"), "Unmasked"), (*SPEC, "hostUsers"), False)
    try:
        found = json.dumps(created(operator, changed)["spec"]["containers"])
    except KubectlError as error:
        found = str(error)
    assert KERNEL in found or "Unmasked" not in found


def test_containers_may_be_injected_where_the_platform_has_labelled_the_namespace(operator: Kubectl) -> None:
    injected = with_field(with_field(POD, SECOND, PROXY), (*SPEC, "initContainers"), [PROXY | {"name": "mesh-init"}])
    created(operator, with_field(injected, VOLUME, {"name": "podinfo", "downwardAPI": {}}), "mesh")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (SECOND, PROXY | {"securityContext": {"privileged": True}}, PRIVILEGES),
        ((*SPEC, "initContainers"), [ROOT_INIT], USER),
        (VOLUME, {"name": "extra", "hostPath": {"path": "/"}}, VOLUMES),
        ((*INGEST, "command"), ["sh"], COMMAND),
    ],
    ids=["privileged", "root", "volume", "command"],
)
def test_an_injected_container_has_to_keep_the_other_rules(
    path: FieldPath, value: Any, sentence: str, operator: Kubectl
) -> None:
    with pytest.raises(KubectlError, match=sentence):
        created(operator, with_field(POD, path, value), "mesh")


def test_a_job_whose_pod_gets_a_container_says_how_to_allow_it(
    tenant: Tenant, kubectl: Kubectl, tmp_path: Path
) -> None:
    with pod_webhook(kubectl, tenant.name, tmp_path, [{"op": "add", "path": "/spec/containers/-", "value": PROXY}]):
        tenant.apply()
        eventually(lambda: tenant.condition(c.STALLED) == ("True", c.POD_REJECTED))
        [stalled] = [each for each in tenant.job()["status"]["conditions"] if each["type"] == c.STALLED]
        label = f"kubectl label namespace {tenant.name} sluice.dev/injected-containers=true. Correct the cause"
        assert label in stalled["message"]
        tenant.patch(enabled=False)
        eventually(lambda: tenant.condition(c.PAUSED) == ("True", c.NOTHING_CONNECTED))
