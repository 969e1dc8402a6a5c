"""The operator and the pods write only log lines of the published schema to standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice_contract.identity import CONTAINER
from support.kind import KindCluster
from support.log_lines import problems, stdout_lines
from support.site import Tenant, eventually

OPERATOR_LOGS = "sluice-system_*/operator/*.log"
POD_LOGS = f"*/{CONTAINER}/*.log"

pytestmark = pytest.mark.reads_all_logs


def written(folder: Path, pattern: str) -> list[str]:
    """Return all lines of standard output in the log files that match."""
    return [line for file in sorted(folder.glob(pattern)) for line in stdout_lines(file.read_text())]


def test_every_line_on_standard_output_matches_the_schema(cluster: KindCluster, tenant: Tenant) -> None:
    tenant.apply(pod={"env": [{"name": "LOG_LEVEL", "value": "debug"}]})
    tenant.settled("Streaming", seconds=60)
    eventually(lambda: '"event_type":"quote"' in tenant.run("logs", "feed-ingest"), seconds=60)
    folder = cluster.copy_container_logs()
    by_operator, by_pods = written(folder, OPERATOR_LOGS), written(folder, POD_LOGS)
    assert by_operator
    assert by_pods
    assert [problem for line in by_operator + by_pods for problem in problems(line)] == []
    assert {"info", "debug"} <= {json.loads(line)["level"] for line in by_pods}
    assert {"stream", "heartbeat", "firestore_write", "quote"} <= {json.loads(line)["event_type"] for line in by_pods}
    fields = [json.loads(line).keys() for line in by_pods]
    assert [found for found in fields if not {"job", "tenant", "epoch"} <= found] == []
