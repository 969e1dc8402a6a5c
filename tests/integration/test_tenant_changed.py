"""A namespace that loses its tenant, or serves another one, while jobs run in it, on a real API server."""

from __future__ import annotations

from typing import Any

from sluice_contract import conditions as c
from support.site import Tenant, eventually

STALLED = ("True", c.TENANT_CHANGED)
SECONDS = 60.0  # a label is read again after 30 s at most


def set_label(tenant: Tenant, value: str | None) -> None:
    """Set or remove the label of the namespace that names its tenant, as the cluster's administrator."""
    change = f"sluice.dev/tenant={value}" if value is not None else "sluice.dev/tenant-"
    tenant.kubectl("label", "namespace", tenant.name, change, "--overwrite")


def events(tenant: Tenant, reason: str) -> list[dict[str, Any]]:
    """Return the job's Events with this reason."""
    found: list[dict[str, Any]] = tenant.kubectl.get("events", "-n", tenant.name)["items"]
    return [each for each in found if each["reason"] == reason]


def test_a_job_gets_no_new_pod_after_its_namespace_changed_hands_until_the_label_is_corrected(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    set_label(tenant, "globex")
    tenant.run("delete", "pod", "feed-ingest")
    eventually(lambda: tenant.condition(c.STALLED) == STALLED, SECONDS)
    assert tenant.pods() == []
    [event] = eventually(lambda: events(tenant, c.TENANT_CHANGED))
    assert event["type"] == "Warning"
    assert "now serves tenant globex" in event["message"]
    assert f"belongs to tenant {tenant.name}" in event["message"]
    set_label(tenant, tenant.name)
    tenant.settled("Streaming", seconds=SECONDS)


def test_a_running_pod_continues_and_stops_after_its_namespace_lost_its_tenant(tenant: Tenant) -> None:
    tenant.apply()
    before = tenant.settled("Streaming", seconds=40)
    set_label(tenant, None)
    assert tenant.job()["status"]["stream"]["podUID"] == before["stream"]["podUID"]
    tenant.patch(enabled=False)
    eventually(lambda: tenant.condition(c.PAUSED)[0] == "True", SECONDS)
    tenant.run("delete", "ij", "feed")
    eventually(lambda: tenant.pods() == [], SECONDS)
