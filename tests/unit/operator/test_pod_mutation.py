"""The comparison of a created pod with the requested pod: what counts as a change, and what the message shows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sluice_contract import identity
from sluice_operator.domain import workload
from sluice_operator.domain.pod_mutation import FieldDifference, first_difference

from .world import PODS, SYNTHETIC, job_of

Pod = dict[str, Any]
SPEC = SYNTHETIC | {"pod": {"env": [{"name": "LOG_LEVEL", "value": "debug"}]}}
PROXY = workload.ProxyVariable("HTTPS_PROXY", "http://user:password@proxy:3128")
REQUESTED = workload.pod_manifest(
    job_of(SPEC),
    7,
    "0123456789abcdef",
    msgspec.structs.replace(PODS, image="registry/sluice-runtime:1", proxies=(PROXY,)),
)


def difference(change: Callable[[Pod, Pod], object]) -> FieldDifference | None:
    """Return what differs after a change of the pod and its container."""
    created = with_defaults()
    change(created, created["spec"]["containers"][0])
    return first_difference(REQUESTED, created)


def with_defaults() -> Pod:
    """Return the pod as an API server stores it."""
    created = copy.deepcopy(REQUESTED)
    created["metadata"] |= {"uid": "pod-1", "resourceVersion": "1", "creationTimestamp": "2026-03-02T15:00:00Z"}
    created["spec"] |= {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "serviceAccount": "x"}
    [container] = created["spec"]["containers"]
    container |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log"}
    for entry in container["env"]:
        if "valueFrom" in entry:
            entry["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
        elif not entry["value"]:
            del entry["value"]
    container["ports"][0]["protocol"] = "TCP"
    container["volumeMounts"].append({"name": "token", "mountPath": "/var/run/secrets", "readOnly": True})
    return created


def variable(container: Pod, name: str) -> Pod:
    """Return the entry of a variable."""
    found: Pod = next(each for each in container["env"] if each["name"] == name)
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda pod, container: None,
        lambda pod, container: pod["spec"]["containers"].insert(0, {"name": "mesh-proxy", "image": "mesh"}),
        lambda pod, container: pod["spec"].update(initContainers=[{"name": "mesh-init"}]),
        lambda pod, container: pod["spec"]["volumes"].append({"name": "mesh", "emptyDir": {}}),
        lambda pod, container: pod["spec"].update(tolerations=[{"operator": "Exists"}], priority=1000),
        lambda pod, container: pod["spec"].update(imagePullSecrets=[{"name": "mirror"}], restartPolicy="Always"),
        lambda pod, container: pod["metadata"]["labels"].update({"team": "data", identity.NAME_LABEL: "feeds"}),
        lambda pod, container: pod["metadata"]["annotations"].update({"mesh/status": "injected"}),
        lambda pod, container: pod["metadata"]["ownerReferences"].insert(0, {"kind": "Application", "uid": "u"}),
        lambda pod, container: container["env"].append({"name": "MESH", "value": "on"}),
        lambda pod, container: container["env"].reverse(),
        lambda pod, container: container.update(image="mirror.example/cache/sluice-runtime:1"),
        lambda pod, container: container.update(image="registry/sluice-runtime@sha256:00"),
        lambda pod, container: container.update(image="registry/sluice-runtime:1@sha256:00"),
        lambda pod, container: container.update(imagePullPolicy="Always", resources={"requests": {"cpu": "2"}}),
        lambda pod, container: container["livenessProbe"].update(httpGet={"path": "/mesh/livez", "port": 15020}),
        lambda pod, container: container["securityContext"].update(runAsUser=1000),
        lambda pod, container: container["ports"].append({"name": "mesh", "containerPort": 15020}),
    ],
)
def test_what_sluice_does_not_read_is_ignored(change: Callable[[Pod, Pod], object]) -> None:
    assert difference(change) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda pod, container: pod["metadata"]["labels"].update({identity.MANAGED_BY_LABEL: "platform-team"}),
            'metadata.labels[app.kubernetes.io/managed-by] is "platform-team" instead of "sluice-operator".',
        ),
        (
            lambda pod, container: pod["metadata"]["labels"].pop(identity.TENANT_LABEL),
            'metadata.labels[sluice.dev/tenant] is absent instead of "acme".',
        ),
        (
            lambda pod, container: pod["metadata"].pop("labels"),
            'metadata.labels[app.kubernetes.io/managed-by] is absent instead of "sluice-operator".',
        ),
        (
            lambda pod, container: pod["metadata"]["annotations"].update({identity.EPOCH_ANNOTATION: "8"}),
            'metadata.annotations[sluice.dev/epoch] is "8" instead of "7".',
        ),
        (
            lambda pod, container: pod["metadata"]["annotations"].pop(identity.COLD_HASH_ANNOTATION),
            'metadata.annotations[sluice.dev/cold-hash] is absent instead of "0123456789abcdef".',
        ),
        (
            lambda pod, container: pod["spec"].update(serviceAccountName="default"),
            'spec.serviceAccountName is "default" instead of "sluice-ingest".',
        ),
        (
            lambda pod, container: pod["spec"].update(automountServiceAccountToken=False),
            "spec.automountServiceAccountToken is false instead of true.",
        ),
        (
            lambda pod, container: container.update(name="app"),
            "spec.containers[ingest] is absent instead of present.",
        ),
        (
            lambda pod, container: container.update(image="registry/sluice-runtime:2"),
            'spec.containers[ingest].image is "registry/sluice-runtime:2" instead of "registry/sluice-runtime:1".',
        ),
        (
            lambda pod, container: container.update(image="registry/other:1"),
            'spec.containers[ingest].image is "registry/other:1" instead of "registry/sluice-runtime:1".',
        ),
        (
            lambda pod, container: container.update(command=["/wrapper"]),
            'spec.containers[ingest].command is ["/wrapper"] instead of ["sluice-runtime"].',
        ),
        (
            lambda pod, container: container["args"].insert(0, "sluice-runtime"),
            'spec.containers[ingest].args is ["sluice-runtime","run"] instead of ["run"].',
        ),
        (
            lambda pod, container: container["ports"].clear(),
            'spec.containers[ingest].ports[http] is absent instead of {"containerPort":8080,"name":"http"}.',
        ),
        (
            lambda pod, container: variable(container, "POD_UID").update(valueFrom={"fieldRef": {"fieldPath": "x"}}),
            'spec.containers[ingest].env[POD_UID] is {"fieldRef":{"fieldPath":"x"}} instead of '
            '{"fieldRef":{"fieldPath":"metadata.uid"}}.',
        ),
        (
            lambda pod, container: container["volumeMounts"].pop(0),
            "spec.containers[ingest].volumeMounts[/var/lib/sluice] is absent instead of "
            '{"mountPath":"/var/lib/sluice","name":"state"}.',
        ),
    ],
)
def test_a_changed_field_is_named_with_both_values(change: Callable[[Pod, Pod], object], words: str) -> None:
    found = difference(change)
    assert found is not None
    assert found.sentence() == words


@pytest.mark.parametrize("name", ["kind", "name", "uid", "controller"])
def test_a_changed_owner_is_found(name: str) -> None:
    found = difference(lambda pod, _: pod["metadata"]["ownerReferences"][0].update({name: "other"}))
    assert found is not None
    assert found.field == "metadata.ownerReferences"


def test_removed_owners_are_found() -> None:
    found = difference(lambda pod, _: pod["metadata"].pop("ownerReferences"))
    assert found is not None
    assert (found.field, found.actual) == ("metadata.ownerReferences", "absent")


def test_a_later_entry_of_the_same_variable_counts() -> None:
    found = difference(lambda _, container: container["env"].append({"name": identity.JOB_ENV, "value": "{}"}))
    assert found is not None
    assert (found.field, found.actual) == ("spec.containers[ingest].env[SLUICE_JOB]", '"{}"')


def test_long_values_are_cut_around_the_difference() -> None:
    def change(_: Pod, container: Pod) -> None:
        entry = variable(container, identity.JOB_ENV)
        entry["value"] = entry["value"].replace('"uid":"job-1"', '"uid":"job-2"')

    found = difference(change)
    assert found is not None
    assert (len(found.requested) < 130, len(found.actual) < 130) == (True, True)
    assert ("job-1" in found.requested, "job-2" in found.actual) == (True, True)


def test_the_address_of_a_proxy_is_not_shown() -> None:
    found = difference(lambda _, container: variable(container, "HTTPS_PROXY").update(value="http://x:token@y"))
    assert found is not None
    assert found.field == "spec.containers[ingest].env[HTTPS_PROXY]"
    assert "token" not in found.sentence()
    assert "user:password" not in found.sentence()
    assert found.sentence().startswith("spec.containers[ingest].env[HTTPS_PROXY] has another value than requested")
