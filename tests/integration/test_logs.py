"""The log lines of a running operator and of a running pod."""

from __future__ import annotations

import json

from sluice_devcluster.kubectl import Kubectl
from support.log_lines import problems
from support.site import Tenant


def test_the_log_lines_of_the_operator_and_a_pod_match_the_schema(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply(pod={"env": [{"name": "LOG_LEVEL", "value": "debug"}]})
    status = tenant.settled("Streaming")
    by_pod = tenant.run("logs", "feed-ingest").splitlines()
    by_operator = kubectl("logs", "-n", "sluice-system", "deployment/sluice-operator").splitlines()
    assert [problem for line in by_pod + by_operator for problem in problems(line)] == []
    assert by_operator
    jobs = {(line["job"], line["tenant"], line["epoch"]) for line in map(json.loads, by_pod)}
    assert jobs == {(f"{tenant.name}/feed", tenant.name, status["epoch"])}
