"""Checks of a tenant's job for the tests of stops."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.processes import pod_process
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


def pod_of(tenant: Tenant) -> int:
    """Return the process ID of the tenant's pod."""
    return pod_process("sluice-runtime", f"POD_UID={tenant.job()['status']['stream']['podUID']}")


def api_port(site: Quickstart) -> int:
    """Return the port of the API server."""
    server = site.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
    port = urlsplit(server).port
    assert port is not None
    return port


def is_confirmed(tenant: Tenant) -> bool:
    """Return whether the pod has acknowledged a pause for the newest generation of the stop fields."""
    job = tenant.job()
    stream = job["status"]["stream"]
    return "acknowledgedAt" in stream.get("pause", {}) and stream["stopsGeneration"] == job["metadata"]["generation"]


def is_paused(tenant: Tenant) -> bool:
    return tenant.condition("Paused")[0] == "True"


def refuses_status_of_invalid_job(kubectl: Kubectl) -> bool:
    """Return whether the API server refuses each status of a job that breaks a rule elsewhere, as 1.30 does.

    Later versions accept a write that leaves the invalid field as it is (docs/kubernetes-versions.md).
    """
    version = json.loads(kubectl("get", "--raw", "/version"))
    return (version["major"], version["minor"]) == ("1", "30")


def assert_nothing_is_written(tenant: Tenant) -> None:
    written = tenant.writes()
    time.sleep(0.5)
    assert tenant.writes() == written


def stream_from(tenant: Tenant, upstream: Upstream, **alpaca: Any) -> None:
    """Start a job that streams from the protocol server, and wait until it has written quotes."""
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    spec: dict[str, Any] = {**streaming_from(upstream)}
    spec["alpaca"] = spec["alpaca"] | alpaca
    tenant.apply(**spec)
    tenant.settled("Streaming")
    eventually(tenant.writes)
