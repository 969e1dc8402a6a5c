"""The operator gets all events of a job and its pod, whatever a user writes where kopf keeps its own state."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_operator.handlers import FINALIZER
from support.site import Tenant, eventually

OLD_FINALIZER = "sluice.dev/never"
BROKEN = "{"
ANNOTATIONS = {
    f"kopf.zalando.org/{name}": BROKEN
    for name in ("last-handled-configuration", "job_event", "pod_event", "touch-dummy", "kopf-managed")
}
JOB, POD = ("ij", "feed"), ("pod", "feed-ingest")


def patch(tenant: Tenant, target: tuple[str, str], document: dict[str, Any], *options: str) -> None:
    """Merge a document into an object."""
    tenant.run("patch", *target, "--type=merge", *options, "-p", json.dumps(document))


def annotate(tenant: Tenant, target: tuple[str, str]) -> None:
    """Set all of kopf's annotations to values that kopf cannot decode."""
    patch(tenant, target, {"metadata": {"annotations": ANNOTATIONS}})


def annotate_the_pod_by_its_job(tenant: Tenant, _: tuple[str, str]) -> None:
    """Set the annotations through a field of the job, which creates a new pod."""
    before = tenant.settled("Streaming")["stream"]["podUID"]
    patch(tenant, JOB, {"spec": {"pod": {"annotations": ANNOTATIONS}}})
    eventually(lambda: tenant.settled("Streaming")["stream"]["podUID"] != before, seconds=30)


def fill_status(tenant: Tenant, target: tuple[str, str]) -> None:
    """Set the status field where older versions of kopf keep their progress."""
    progress = {"progress": {"job_event": BROKEN, "pod_event": {"started": BROKEN}}, "dummy": BROKEN}
    patch(tenant, target, {"status": {"kopf": progress}}, "--subresource=status")


def add_old_finalizer(tenant: Tenant, target: tuple[str, str]) -> None:
    """Set the finalizer that earlier operators configured as kopf's."""
    patch(tenant, target, {"metadata": {"finalizers": [OLD_FINALIZER]}})


def delete(tenant: Tenant, target: tuple[str, str]) -> None:
    """Delete an object, and then remove the finalizer, as the user who set it would."""
    tenant.run("delete", *target, "--wait=false")
    finalizers = tenant.run("get", *target, "--ignore-not-found", "-o", "jsonpath={.metadata.finalizers}")
    if OLD_FINALIZER in finalizers:
        patch(tenant, target, {"metadata": {"finalizers": None}})


Spoil = Callable[[Tenant, tuple[str, str]], None]


@pytest.mark.parametrize(
    ("spoil", "target"),
    [
        (annotate, JOB),
        (annotate, POD),
        (annotate_the_pod_by_its_job, POD),
        (fill_status, JOB),
        (fill_status, POD),
        (add_old_finalizer, JOB),
        (add_old_finalizer, POD),
    ],
)
def test_a_stop_is_confirmed_within_5_s_and_a_deletion_goes_through(
    tenant: Tenant, spoil: Spoil, target: tuple[str, str]
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    spoil(tenant, target)
    patch(tenant, JOB, {"spec": {"enabled": False}})
    tenant.run("wait", *JOB, "--for=condition=Paused", "--timeout=5s")

    first = tenant.run("get", *POD, "-o", "jsonpath={.metadata.uid}")
    delete(tenant, POD)
    eventually(lambda: [each["metadata"]["uid"] for each in tenant.pods()] not in ([], [first]), seconds=15)

    delete(tenant, JOB)
    tenant.run("wait", *JOB, "--for=delete", "--timeout=15s")
    eventually(lambda: not tenant.pods(), seconds=15)


@pytest.mark.parametrize("target", [JOB, POD])
def test_the_api_server_refuses_to_store_kopfs_finalizer(tenant: Tenant, target: tuple[str, str]) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    with pytest.raises(KubectlError, match=r"metadata\.finalizers"):
        patch(tenant, target, {"metadata": {"finalizers": [FINALIZER]}})


def test_kopf_writes_nothing(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    operator = kubectl.get("pods", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator")["items"][0]
    with urllib.request.urlopen(f"http://{operator['status']['podIP']}:8080/metrics") as answer:
        assert b"sluice_operator_kopf_writes_refused_total 0.0" in answer.read()
    for target in (JOB, POD):
        managers = kubectl.get(*target, "-n", tenant.name, "--show-managed-fields")["metadata"]["managedFields"]
        assert not [each["manager"] for each in managers if "kopf" in each["manager"]]
