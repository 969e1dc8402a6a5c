"""The operator's part of pauses: their status, the jobs that they cover, and kinds that it cannot read."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.cluster_roles import without_rights
from support.operator_replicas import OPERATOR
from support.pause_objects import apply_pause
from support.site import Tenant, eventually
from support.stop_checks import pod_of, stream_from
from support.upstream import Upstream

CRDS = Path(__file__).parents[2] / "crds"
PAUSES = ["ingestpauses", "clusteringestpauses", "ingestpauses/status", "clusteringestpauses/status"]


def status_of(tenant: Tenant, name: str) -> dict[str, Any]:
    """Return the status of an IngestPause."""
    found: dict[str, Any] = tenant.kubectl.get("ipause", name, "-n", tenant.name).get("status", {})
    return found


def reasons(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition."""
    return {each["type"]: (each["status"], each["reason"]) for each in status.get("conditions", ())}


def message(tenant: Tenant, kind: str) -> str:
    """Return the message of a condition of the job."""
    return next(str(each["message"]) for each in tenant.job()["status"]["conditions"] if each["type"] == kind)


def test_a_job_that_a_pause_covers_gets_no_pod_and_says_why(tenant: Tenant) -> None:
    apply_pause(tenant.kubectl, "all", tenant.name, jobSelector={})
    tenant.apply()
    tenant.settled("Paused")
    assert tenant.pods() == []
    assert tenant.condition("Paused") == ("True", "NothingConnected")
    assert 'pause:all ("vendor incident"), without an end' in message(tenant, "Paused")
    tenant.run("wait", "ipause/all", "--for=condition=Acknowledged", "--timeout=20s")
    # The pause was acknowledged before the job existed, and its status is written at most once a second.
    eventually(lambda: status_of(tenant, "all")["acknowledged"] == "1/1")
    tenant.run("delete", "ipause", "all")
    tenant.settled("Streaming", seconds=60)


def test_a_pause_of_a_job_that_does_not_exist_says_so(tenant: Tenant) -> None:
    apply_pause(tenant.kubectl, "none", tenant.name, jobs=["feed"])
    tenant.run("wait", "ipause/none", "--for=condition=Acknowledged", "--timeout=20s")
    assert reasons(status_of(tenant, "none"))["InForce"] == ("True", "NothingSelected")
    assert status_of(tenant, "none")["acknowledged"] == "0/0"


def test_at_the_end_of_a_pause_the_pod_is_created(tenant: Tenant) -> None:
    until = datetime.now(UTC) + timedelta(seconds=8)
    apply_pause(tenant.kubectl, "short", tenant.name, jobs=["feed"], until=f"{until:%Y-%m-%dT%H:%M:%SZ}")
    tenant.apply()
    tenant.settled("Paused")
    assert tenant.pods() == []
    eventually(lambda: reasons(status_of(tenant, "short")) == {"InForce": ("False", "Expired")}, 20)
    tenant.settled("Streaming", seconds=60)


def test_a_frozen_pod_is_deleted_and_the_pause_names_its_job(tenant: Tenant, upstream: Upstream) -> None:
    stream_from(tenant, upstream)
    os.kill(pod_of(tenant), signal.SIGSTOP)
    apply_pause(tenant.kubectl, "us", tenant.name, jobs=["feed"])
    eventually(lambda: reasons(status_of(tenant, "us")).get("Acknowledged") == ("False", "Waiting"))
    assert status_of(tenant, "us")["waitingFor"] == ["feed"]
    eventually(lambda: reasons(status_of(tenant, "us"))["Acknowledged"] == ("False", "NotAcknowledged"), 20)
    eventually(lambda: any("deletionTimestamp" in each["metadata"] for each in tenant.pods()), 30)
    eventually(lambda: not upstream.open_connections, 75)
    tenant.run("wait", "ipause/us", "--for=condition=Acknowledged", "--timeout=20s")
    assert tenant.pods() == []


def test_a_running_pod_acknowledges_pauses_of_a_symbol_and_of_the_whole_job(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=60)
    [pod] = tenant.pods()
    for name, spec in (("symbol", {"symbols": ["AAPL"]}), ("first", {}), ("second", {})):
        apply_pause(tenant.kubectl, name, tenant.name, jobs=["feed"], **spec)
        tenant.run("wait", f"ipause/{name}", "--for=condition=Acknowledged", "--timeout=10s")
    sources = [each["source"] for each in tenant.job()["status"]["stream"]["pause"]["sources"]]
    assert sources == ["pause:first", "pause:second"]
    assert [each["metadata"]["uid"] for each in tenant.pods()] == [pod["metadata"]["uid"]]
    tenant.run("delete", "ipause", "first", "second")
    eventually(lambda: tenant.job()["status"]["stream"]["symbols"].get("pausedSymbols") == ["AAPL"])


def test_without_the_right_to_read_pauses_jobs_run_and_the_log_says_what_to_apply(
    tenant: Tenant, kubectl: Kubectl
) -> None:
    with without_rights(kubectl, "sluice-operator-read", PAUSES):
        restart_operator(kubectl)
        tenant.apply()
        tenant.settled("Streaming", seconds=60)
        eventually(lambda: "may not list and watch ingestpauses" in operator_log(kubectl), 30)
        assert "apply ClusterRole sluice-operator-read" in operator_log(kubectl)
    apply_pause(kubectl, "us", tenant.name, jobs=["feed"])
    tenant.run("wait", "ipause/us", "--for=condition=Acknowledged", "--timeout=60s")


def test_without_the_kind_jobs_run_and_with_it_the_operator_follows_pauses_again(
    tenant: Tenant, kubectl: Kubectl
) -> None:
    kubectl("delete", "crd", "clusteringestpauses.sluice.dev")
    try:
        restart_operator(kubectl)
        tenant.apply()
        tenant.settled("Streaming", seconds=60)
        eventually(lambda: "does not serve clusteringestpauses" in operator_log(kubectl), 30)
        started = operator_starts(kubectl)
    finally:
        kubectl("apply", "-f", str(CRDS / "clusteringestpauses.sluice.dev.yaml"))
        kubectl("wait", "--for=condition=Established", "crd/clusteringestpauses.sluice.dev", "--timeout=30s")
    apply_pause(kubectl, "fleet")
    try:
        kubectl("wait", "cipause/fleet", "--for=condition=Acknowledged", "--timeout=60s")
        assert "waitingFor" not in kubectl.get("cipause", "fleet")["status"]
        eventually(lambda: tenant.condition("Paused")[0] == "True")
        assert "clusterpause:fleet" in message(tenant, "Paused")
    finally:
        kubectl("delete", "cipause", "fleet")
    assert operator_starts(kubectl) == started


def restart_operator(kubectl: Kubectl) -> None:
    """Replace the operator's pods, whose open watches keep the earlier rights."""
    kubectl("rollout", "restart", *OPERATOR)
    kubectl("rollout", "status", *OPERATOR, "--timeout=90s")


def operator_log(kubectl: Kubectl) -> str:
    """Return the log of all operator pods."""
    return kubectl("logs", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator", "--tail=-1")


def operator_starts(kubectl: Kubectl) -> list[tuple[str, int]]:
    """Return name and restart count of each operator pod."""
    pods = kubectl.get("pods", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator")["items"]
    return sorted((each["metadata"]["name"], each["status"]["containerStatuses"][0]["restartCount"]) for each in pods)
