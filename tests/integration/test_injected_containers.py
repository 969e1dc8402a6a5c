"""Pods into which a webhook injects containers, as a service mesh does."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_devcluster.kubectl import Kubectl
from support.admission_webhook import Patch
from support.pod_webhook import injected_container, pod_webhook
from support.processes import pod_process
from support.site import Tenant, eventually

PROXY = injected_container("mesh-proxy", "sleep", "100000")
DEAF_PROXY = injected_container("mesh-proxy", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
SIDECAR = injected_container("mesh-proxy", "sleep", "100000", restartPolicy="Always")
CRASHING = injected_container("mesh-proxy", "false")
FIRST = "/spec/containers/0"  # so that the order of the statuses is another one
INIT = "/spec/initContainers"
GONE_SECONDS = 60.0


def beside(container: dict[str, Any]) -> Patch:
    """Return the patch that injects a container before Sluice's own."""
    return [{"op": "add", "path": FIRST, "value": container}]


def before(*containers: dict[str, Any]) -> Patch:
    """Return the patch that injects init containers."""
    return [{"op": "add", "path": INIT, "value": list(containers)}]


def end_runtime(tenant: Tenant) -> str:
    """End the runtime as `kill 1` in its container does. Return the UID of its pod."""
    [pod] = tenant.pods()
    uid: str = pod["metadata"]["uid"]
    os.kill(pod_process("sluice-runtime", f"POD_UID={uid}"), signal.SIGTERM)
    return uid


@pytest.mark.parametrize(
    "patch", [beside(PROXY), before(SIDECAR), beside(CRASHING)], ids=["container", "native sidecar", "crashing"]
)
def test_a_runtime_that_exits_with_code_0_is_replaced(
    patch: Patch, tenant: Tenant, kubectl: Kubectl, tmp_path: Path
) -> None:
    tenant.allow_injected_containers()
    with pod_webhook(kubectl, tenant.name, tmp_path, patch):
        tenant.apply()
        tenant.settled("Streaming", seconds=40)
        before_end = end_runtime(tenant)
        tenant.settled(c.POD_RESTARTING)
        eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != before_end, GONE_SECONDS)
        status = tenant.settled("Streaming", seconds=40)
    assert status["restart"]["count"] == 1


def test_a_pause_is_confirmed_while_a_container_that_ignores_sigterm_still_runs(
    tenant: Tenant, kubectl: Kubectl, tmp_path: Path
) -> None:
    tenant.allow_injected_containers()
    with pod_webhook(kubectl, tenant.name, tmp_path, beside(DEAF_PROXY)):
        tenant.apply()
        tenant.settled("Streaming", seconds=40)
        tenant.run("delete", "pod", "feed-ingest", "--wait=false")
        eventually(lambda: tenant.heartbeat()["status"] == "stopped")
        tenant.patch(enabled=False)
        eventually(lambda: tenant.condition(c.PAUSED) == ("True", c.NOTHING_CONNECTED))
        [pod] = tenant.pods()
        assert pod["metadata"]["deletionTimestamp"]
        eventually(lambda: [each["metadata"]["uid"] for each in tenant.pods()] != [pod["metadata"]["uid"]], 75)
        tenant.settled("Paused", seconds=75)


def test_an_init_container_that_prevents_the_start_is_named(tenant: Tenant, kubectl: Kubectl, tmp_path: Path) -> None:
    failing = injected_container("mesh-init", "sh", "-c", "echo no route >/dev/termination-log; exit 3")
    tenant.allow_injected_containers()
    with pod_webhook(kubectl, tenant.name, tmp_path, before(failing)):
        tenant.apply()
        tenant.settled(c.POD_UNSTARTABLE)
        eventually(lambda: "init container mesh-init keeps failing: exit code 3 Error no route" in str(tenant.job()))


def test_a_sidecar_starts_before_and_ends_after_the_other_containers(tenant: Tenant, kubectl: Kubectl) -> None:
    log = "date +%s.%N; trap 'date +%s.%N; exit 0' TERM; while :; do sleep 0.05; done"
    sidecar = injected_container("mesh-proxy", "bash", "-c", log, restartPolicy="Always")
    main = injected_container("main", "bash", "-c", "date +%s.%N; sleep 1; date +%s.%N")
    spec: dict[str, Any] = {"restartPolicy": "Never", "initContainers": [sidecar], "containers": [main]}
    spec["securityContext"] = {"runAsUser": 65532}
    kubectl.apply(
        [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "job", "namespace": tenant.name}, "spec": spec}]
    )
    eventually(lambda: [pod["status"]["phase"] for pod in tenant.pods()] == ["Succeeded"], 30)
    outer, inner = (
        [float(line) for line in tenant.run("logs", "job", "-c", name).split()] for name in ("mesh-proxy", "main")
    )
    [status] = [pod["status"] for pod in tenant.pods()]
    [sidecar_state], [main_state] = (status[key] for key in ("initContainerStatuses", "containerStatuses"))
    assert sidecar_state["state"]["terminated"]["startedAt"] <= main_state["state"]["terminated"]["startedAt"]
    assert inner[1] < outer[1]
