"""The number of status writes that the operator needs for each transition of a job, counted on the API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster.quickstart import Quickstart
from support.podwatch import watch_into_file
from support.site import Tenant, eventually
from support.status_watch import StatusWatch, ready_texts

MOST_OF_A_CREATION = 4
MOST_OF_A_TRANSITION = 3
QUIET_SECONDS = 1.0  # twice the time in which the operator collects changes


@pytest.fixture
def watch(site: Quickstart, tenant: Tenant, tmp_path: Path) -> Iterator[StatusWatch]:
    """A watch of the job of the tenant."""
    file = tmp_path / "jobs.json"
    with watch_into_file(site.kubeconfig, "ingestjobs", tenant.name, file):
        yield StatusWatch(file)


def assert_settles_with_at_most(most: int, watch: StatusWatch, tenant: Tenant, reason: str, old_pod: str = "") -> None:
    """Wait until Ready has this reason, with another pod than `old_pod`. Check the number of writes up to then."""

    def has_settled() -> bool:
        status = tenant.job().get("status", {})
        ready = [each for each in status.get("conditions", ()) if each["type"] == "Ready"]
        is_current = status.get("observedGeneration") == tenant.job()["metadata"]["generation"]
        is_other_pod = status.get("stream", {}).get("podUID") != old_pod
        return bool(ready) and ready[0]["reason"] == reason and is_current and is_other_pod

    eventually(has_settled, 30.0, every=0.2)
    time.sleep(QUIET_SECONDS)
    version = tenant.job()["metadata"]["resourceVersion"]
    eventually(lambda: int(watch.newest["metadata"]["resourceVersion"]) >= int(version))
    writes = watch.writes_since_last_call()
    assert 0 < len(writes) <= most, ready_texts(writes)


def test_a_job_needs_few_status_writes_for_each_transition(tenant: Tenant, watch: StatusWatch) -> None:
    tenant.apply()
    assert_settles_with_at_most(MOST_OF_A_CREATION, watch, tenant, "Streaming")
    tenant.patch(enabled=False)
    assert_settles_with_at_most(MOST_OF_A_TRANSITION, watch, tenant, "Paused")
    tenant.patch(enabled=True)
    assert_settles_with_at_most(MOST_OF_A_TRANSITION, watch, tenant, "Streaming")
    pod = tenant.job()["status"]["stream"]["podUID"]
    tenant.patch(synthetic={"seed": 7})
    assert_settles_with_at_most(MOST_OF_A_TRANSITION, watch, tenant, "Streaming", pod)
    pod = tenant.job()["status"]["stream"]["podUID"]
    tenant.run("delete", "pod", "feed-ingest", "--wait=false")
    assert_settles_with_at_most(MOST_OF_A_TRANSITION, watch, tenant, "Streaming", pod)
