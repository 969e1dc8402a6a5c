"""Two jobs of one tenant that would write the same documents, on a real API server, with real pods."""

from __future__ import annotations

from typing import Any

from sluice_contract import conditions as c
from support.site import Tenant, eventually

OTHER: dict[str, Any] = {"heartbeat": {"document": "second", "intervalSeconds": 1}}
STALLED = ("True", c.DOCUMENT_CONFLICT)


def pod_names(tenant: Tenant) -> set[str]:
    """Return the names of the existing pods."""
    return {each["metadata"]["name"] for each in tenant.pods()}


def test_symbols_that_come_to_overlap_stall_the_later_job_until_they_no_longer_do(tenant: Tenant) -> None:
    tenant.apply("first", symbols=["SPY", "AAPL"])
    first = tenant.settled("Streaming", "first")
    tenant.apply("second", symbols=["MSFT"], **OTHER)
    tenant.settled("Streaming", "second")
    assert pod_names(tenant) == {"first-ingest", "second-ingest"}

    tenant.patch("first", symbols=["SPY", "AAPL", "MSFT"])
    eventually(lambda: tenant.condition(c.STALLED, "second") == STALLED, 30)
    eventually(lambda: pod_names(tenant) == {"first-ingest"}, 30)
    [stalled] = [each for each in tenant.job("second")["status"]["conditions"] if each["type"] == c.STALLED]
    assert f"Job {tenant.name}/first of the same tenant" in stalled["message"]
    assert "writes the quotes of MSFT:" in stalled["message"]
    tenant.settled("Streaming", "first")
    assert tenant.job("first")["status"]["epoch"] == first["epoch"]

    tenant.patch("first", symbols=["SPY"])
    tenant.settled("Streaming", "second", seconds=30)
    assert tenant.condition(c.STALLED, "second") == ("", "")
    assert pod_names(tenant) == {"first-ingest", "second-ingest"}


def test_a_second_job_on_the_heartbeat_document_of_the_first_gets_no_pod_until_the_first_is_gone(
    tenant: Tenant,
) -> None:
    tenant.apply("first")
    tenant.settled("Streaming", "first")
    tenant.apply("second", symbols=["MSFT"], dryRun=True)
    eventually(lambda: tenant.condition(c.STALLED, "second") == STALLED)
    assert pod_names(tenant) == {"first-ingest"}
    tenant.run("delete", "ij", "first")
    tenant.settled("Streaming", "second", seconds=40)
    eventually(lambda: tenant.heartbeat()["job"] == f"{tenant.name}/second")
