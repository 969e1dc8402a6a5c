"""Pause objects in a cluster: the pods obey them, without any operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.deadlines import scaled
from support.operator_replicas import no_operator
from support.pause_objects import apply_pause
from support.site import Tenant, eventually, instant, streaming_from
from support.upstream import Upstream


@pytest.fixture
def streaming_without_operator(tenant: Tenant, upstream: Upstream) -> Iterator[None]:
    """A job streams, and the operator has stopped."""
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    tenant.settled("Streaming")
    eventually(tenant.writes)
    with no_operator(tenant.kubectl):
        yield
        tenant.kubectl("delete", "clusteringestpauses", "--all")


def pause_of(tenant: Tenant) -> dict[str, Any]:
    """Return the pause that the pod reports; empty if there is none."""
    found: dict[str, Any] = tenant.job()["status"]["stream"].get("pause", {})
    return found


def sources(tenant: Tenant) -> list[str]:
    """Return the switches that pause the job, by the pod's report."""
    return [each["source"] for each in pause_of(tenant).get("sources", ())]


@pytest.mark.usefixtures("streaming_without_operator")
def test_without_an_operator_a_cluster_pause_closes_the_socket_and_names_its_author(
    tenant: Tenant, upstream: Upstream
) -> None:
    apply_pause(tenant.kubectl, "vendor", providers=[{"name": "alpaca", "feeds": ["iex"]}])
    eventually(lambda: not upstream.open_connections, 5, every=0.005)
    eventually(lambda: "acknowledgedAt" in pause_of(tenant))
    acknowledged = pause_of(tenant)["acknowledgedAt"]
    created = tenant.kubectl.get("cipause", "vendor")["metadata"]["creationTimestamp"]  # in whole seconds
    assert instant(pause_of(tenant)["socketClosedAt"]) - instant(created) < timedelta(seconds=scaled(2))
    tenant.patch(enabled=False)
    eventually(lambda: sources(tenant) == ["clusterpause:vendor", "spec.enabled"])
    assert pause_of(tenant)["acknowledgedAt"] == acknowledged
    tenant.kubectl("delete", "cipause", "vendor")
    eventually(lambda: sources(tenant) == ["spec.enabled"])
    assert upstream.open_connections == []
    tenant.patch(enabled=True)
    eventually(lambda: len(upstream.open_connections) == 1)
    eventually(lambda: "pause" not in tenant.job()["status"]["stream"])
    stream = tenant.job()["status"]["stream"]
    assert "ingestEnabledSource" not in stream
    assert [each["state"] for each in stream["history"]][:2] == ["Live", "Paused"]


@pytest.mark.usefixtures("streaming_without_operator")
def test_pauses_by_name_by_selector_and_of_one_symbol(tenant: Tenant, upstream: Upstream) -> None:
    apply_pause(tenant.kubectl, "other", tenant.name, jobs=["other"])
    apply_pause(tenant.kubectl, "desk", tenant.name, jobSelector={"matchLabels": {"desk": "rates"}})
    apply_pause(tenant.kubectl, "prints", tenant.name, jobs=["feed"], symbols=["SPY", "TSLA"])
    eventually(lambda: tenant.job()["status"]["stream"]["symbols"].get("pausedSymbols") == ["SPY"])
    assert len(upstream.open_connections) == 1
    tenant.run("label", "ij/feed", "desk=rates")
    eventually(lambda: not upstream.open_connections, 5)
    eventually(lambda: sources(tenant) == ["pause:desk"])
    tenant.run("label", "ij/feed", "desk-")
    eventually(lambda: len(upstream.open_connections) == 1)
    tenant.run("delete", "ipause", "prints")
    eventually(lambda: not tenant.job()["status"]["stream"]["symbols"].get("pausedSymbols"))
    apply_pause(tenant.kubectl, "named", tenant.name, jobs=["feed"])
    eventually(lambda: sources(tenant) == ["pause:named"])


@pytest.mark.usefixtures("streaming_without_operator")
def test_a_pause_ends_at_its_time_and_holds_again_when_it_is_extended(tenant: Tenant, upstream: Upstream) -> None:
    def until(seconds: float) -> str:
        return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    apply_pause(tenant.kubectl, "timed", tenant.name, jobs=["feed"], until=until(6))
    eventually(lambda: not upstream.open_connections, 5)
    eventually(lambda: len(upstream.open_connections) == 1)
    apply_pause(tenant.kubectl, "timed", tenant.name, jobs=["feed"], until=until(600))
    eventually(lambda: not upstream.open_connections, 5)
    assert tenant.kubectl("get", "ipause", "timed", "-n", tenant.name)
