"""Two jobs with one key pair, on a real API server.

In one namespace, one streams, and the other waits and names the holder. In two namespaces, the provider refuses one of
them, and both say that another namespace uses their key.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from sluice_contract import conditions as c
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


def test_a_second_job_with_the_same_credentials_waits_until_the_first_is_paused(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply("first", **streaming_from(upstream))
    tenant.settled("Streaming", "first")
    assert tenant.condition(c.CONNECTION_SLOT_ACQUIRED, "first") == ("True", c.SLOT_ACQUIRED)
    second = {**streaming_from(upstream), "symbols": ["MSFT"], "heartbeat": {"document": "second"}}
    tenant.apply("second", **second)
    eventually(lambda: tenant.condition(c.CONNECTION_SLOT_ACQUIRED, "second") == ("False", c.HELD_BY), 30)
    assert tenant.job("second")["status"]["stream"]["slot"] == {"acquired": False, "holder": "first"}
    assert len(upstream.record()["connections"]) == 1
    tenant.patch("first", enabled=False)
    tenant.settled("Paused", "first")
    tenant.settled("Streaming", "second")
    assert upstream.subscribed == {"MSFT"}


@pytest.fixture
def rival(site: Quickstart, tenant: Tenant) -> Iterator[Tenant]:
    """Create a second tenant in a namespace of its own."""
    found = Tenant(site.kubectl, site.emulator, f"{tenant.name}-rival")
    yield found
    site.kubectl("delete", "namespace", found.name, "--wait=false")


def operator_metrics(kubectl: Kubectl) -> str:
    """Return the metrics of all replicas of the operator."""
    pods = kubectl.get("pods", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator")["items"]
    found = []
    for pod in pods:
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/metrics") as answer:
            found.append(answer.read().decode())
    return "".join(found)


def test_both_jobs_of_two_namespaces_with_one_key_say_so_and_the_platform_sees_which(
    tenant: Tenant, rival: Tenant, upstream: Upstream
) -> None:
    for each in (tenant, rival):
        each.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    tenant.settled("Streaming")
    rival.apply(**streaming_from(upstream))
    rival.settled(c.KEY_SHARED, seconds=40)
    shared = ("False", c.KEY_SHARED)
    for each, other in ((tenant, rival.name), (rival, f"{tenant.name}/")):
        eventually(lambda each=each: each.condition(c.CONNECTION_SLOT_ACQUIRED) == shared)  # type: ignore[misc]
        conditions = each.job()["status"]["conditions"]
        assert other not in str(conditions)
        [slot] = [one for one in conditions if one["type"] == c.CONNECTION_SLOT_ACQUIRED]
        assert slot["message"].startswith("Another namespace uses this key.")
    assert tenant.condition(c.READY) == ("True", c.STREAMING_REASON)
    metrics = operator_metrics(tenant.kubectl)
    for each in (tenant, rival):
        assert f',namespace="{each.name}"}} 1.0' in metrics
    log = tenant.kubectl("logs", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator", "--tail=-1")
    assert f"the namespaces {tenant.name}, {rival.name} use one key of their provider" in log

    rival.patch(enabled=False)
    rival.settled("Paused")
    eventually(lambda: tenant.condition(c.CONNECTION_SLOT_ACQUIRED) == ("True", c.SLOT_ACQUIRED))
    assert f',namespace="{rival.name}"}} 1.0' not in operator_metrics(tenant.kubectl)
