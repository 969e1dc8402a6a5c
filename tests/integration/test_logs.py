"""The log lines of a running operator and of a running pod."""

from __future__ import annotations

import json
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.log_lines import problems
from support.site import Tenant, eventually

WRITTEN_SECONDS = 60.0  # until an emulator that has just started has acknowledged its first writes


def test_the_log_lines_of_the_operator_and_a_pod_match_the_schema(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply(pod={"env": [{"name": "LOG_LEVEL", "value": "debug"}]})
    status = tenant.settled("Streaming")
    kinds = {"ingest_switch", "stream", "heartbeat", "firestore_write", "quote"}
    eventually(lambda: kinds <= {line["event_type"] for line in logged(tenant)}, WRITTEN_SECONDS)
    by_pod = tenant.run("logs", "feed-ingest").splitlines()
    by_operator = kubectl("logs", "-n", "sluice-system", "deployment/sluice-operator").splitlines()
    assert [problem for line in by_pod + by_operator for problem in problems(line)] == []
    assert by_operator
    jobs = {(line["job"], line["tenant"], line["epoch"]) for line in map(json.loads, by_pod)}
    assert jobs == {(f"{tenant.name}/feed", tenant.name, status["epoch"])}


def test_a_pod_logs_each_document_if_its_job_requests_this_and_a_dry_run_what_it_would_write(tenant: Tenant) -> None:
    tenant.apply(pod={"env": [{"name": "LOG_QUOTES", "value": "all"}]}, dryRun=True)
    tenant.settled("Streaming")
    lines = eventually(lambda: [line for line in logged(tenant) if line["event_type"] == "would_write"])
    assert {line["count"] for line in lines} == {1}
    assert [line for line in logged(tenant) if line["event_type"] == "firestore_write"] == []
    assert {line["message"] for line in logged(tenant) if line["event_type"] == "quote"} == {"quote"}


def logged(tenant: Tenant) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tenant.run("logs", "feed-ingest").splitlines()]
