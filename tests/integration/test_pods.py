"""There is one pod for each job, whatever happens to the pod, the job or the operator."""

from __future__ import annotations

import os
import signal

from sluice_devcluster.kubectl import Kubectl
from support.operator_replicas import OPERATOR
from support.processes import pod_process
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


def test_a_killed_process_is_restarted_in_the_same_pod(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    before = tenant.settled("Streaming")["stream"]
    os.kill(pod_process("sluice-runtime", f"POD_UID={before['podUID']}"), signal.SIGKILL)
    eventually(lambda: tenant.job()["status"]["stream"]["heartbeat"]["sessionID"] != before["heartbeat"]["sessionID"])
    after = tenant.settled("Streaming")["stream"]
    assert after["podUID"] == before["podUID"]
    assert upstream.record()["concurrent_max"] == 1


def test_a_deleted_pod_is_replaced_when_it_is_gone(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    before = tenant.settled("Streaming")
    tenant.run("delete", "pod", "feed-ingest", "--wait=false")
    eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != before["stream"]["podUID"])
    after = tenant.settled("Streaming")
    assert after["epoch"] > before["epoch"]
    assert upstream.record()["concurrent_max"] == 1
    assert len(tenant.pods()) == 1


def test_a_changed_cold_field_replaces_the_pod_after_the_old_one_has_exited(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    before = tenant.settled("Streaming")
    tenant.patch(firestore={"liveQuotesCollection": "other_quotes"})
    eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != before["stream"]["podUID"])
    tenant.settled("Streaming")
    assert upstream.record()["concurrent_max"] == 1


def test_a_deleted_job_leaves_no_objects(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    eventually(tenant.quotes)
    tenant.run("delete", "ij", "feed")
    eventually(lambda: not tenant.pods())
    eventually(lambda: tenant.heartbeat()["status"] == "stopped")
    assert set(tenant.quotes()) == {"SPY", "AAPL"}
    assert tenant.run("get", "serviceaccounts,rolebindings", "-o", "name").count("sluice-ingest") == 2


def test_a_job_can_be_deleted_while_the_operator_is_down(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    kubectl("scale", *OPERATOR, "--replicas=0")
    try:
        kubectl("wait", "pod", "-n", "sluice-system", "--all", "--for=delete", "--timeout=60s")
        tenant.run("delete", "ij", "feed")
        eventually(lambda: not tenant.pods(), seconds=40)
    finally:
        kubectl("scale", *OPERATOR, "--replicas=2")
        kubectl("rollout", "status", *OPERATOR, "--timeout=60s")


def test_a_restarted_operator_changes_nothing(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    before = tenant.settled("Streaming")
    kubectl("rollout", "restart", *OPERATOR)
    kubectl("rollout", "status", *OPERATOR, "--timeout=60s")
    tenant.patch(symbols=["SPY"])
    after = tenant.settled("Streaming")
    assert after["stream"]["podUID"] == before["stream"]["podUID"]
    assert after["stream"]["heartbeat"]["sessionID"] == before["stream"]["heartbeat"]["sessionID"]
    assert after["epoch"] == before["epoch"]


def test_a_pod_has_the_placement_and_the_resources_of_its_job(tenant: Tenant, kubectl: Kubectl) -> None:
    [node] = kubectl("get", "nodes", "-o", "name").split()
    pool = {"nodeSelector": {"pool": "feeds"}, "labels": {"desk": "options"}}
    tenant.apply(pod={**pool, "env": [{"name": "LOG_LEVEL", "value": "debug"}]})
    eventually(lambda: [pod["status"]["phase"] for pod in tenant.pods()] == ["Pending"])
    kubectl("label", node, "pool=feeds")
    try:
        tenant.settled("Streaming")
        assert "feed-ingest" in tenant.run("get", "pods", "-l", "desk=options", "-o", "name")
        eventually(lambda: '"level":"debug"' in tenant.run("logs", "feed-ingest").lower().replace(" ", ""))
    finally:
        kubectl("label", node, "pool-")


def test_a_rejected_pod_is_reported_and_retried_after_the_job_is_fixed(tenant: Tenant) -> None:
    tenant.apply(pod={"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}})
    eventually(lambda: tenant.job()["status"]["phase"] == "Failed" or tenant.condition("Stalled")[0] == "True")
    [message] = [each["message"] for each in tenant.job()["status"]["conditions"] if each["type"] == "Stalled"]
    assert "memory" in message
    tenant.patch(pod={"resources": {"requests": {"memory": "512Mi"}}})
    tenant.settled("Streaming")
