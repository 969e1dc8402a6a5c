"""The watch of pauses of a pod on a real API server: what the pod does while it cannot read them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.cluster_roles import without_rights
from support.deadlines import assert_takes_at_most
from support.operator_replicas import no_operator
from support.packet_loss import half_open, reset_connections
from support.pause_objects import apply_pause
from support.site import Tenant, eventually
from support.stop_checks import api_port, pod_of, stream_from
from support.stopped_api_server import stopped_api_server
from support.upstream import Upstream

CRDS = Path(__file__).parents[2] / "crds"
KIND = "ingestpauses.sluice.dev"
# A dead watch is found within 10 s, and the pauses are read again after a wait of at most 0.5 s.
FOUND_SECONDS = 12.0


@pytest.fixture
def streaming(tenant: Tenant, upstream: Upstream) -> Iterator[Tenant]:
    """A job that streams. The operator has created its pod, and has stopped then."""
    stream_from(tenant, upstream)
    with no_operator(tenant.kubectl):
        yield tenant


def create(tenant: Tenant, name: str, **spec: Any) -> None:
    """Create an IngestPause of the job."""
    apply_pause(tenant.kubectl, name, tenant.name, **{"jobs": ["feed"], **spec})


def stream_status(tenant: Tenant) -> dict[str, Any]:
    """Return what the pod reports."""
    found: dict[str, Any] = tenant.job()["status"]["stream"]
    return found


def sources(tenant: Tenant) -> list[str]:
    """Return the switches that pause the job, by the pod's report."""
    return [each["source"] for each in stream_status(tenant).get("pause", {}).get("sources", ())]


def assert_streams(tenant: Tenant, upstream: Upstream) -> None:
    """Assert that the pod is connected, and that new quotes are written."""
    before = tenant.writes()
    eventually(lambda: all(number > before[symbol] for symbol, number in tenant.writes().items()))
    assert len(upstream.open_connections) == 1


def connections_so_far(upstream: Upstream) -> int:
    """Return the number of connections that were ever opened."""
    return len(upstream.record()["connections"])


def test_without_the_right_to_read_pauses_the_pod_keeps_the_known_ones_and_says_so(
    streaming: Tenant, site: Quickstart, upstream: Upstream
) -> None:
    create(streaming, "symbol", symbols=["SPY"])
    eventually(lambda: stream_status(streaming)["symbols"].get("pausedSymbols") == ["SPY"])
    with without_rights(streaming.kubectl, "sluice-ingest", ["ingestpauses"]):
        reset_connections(pod_of(streaming), api_port(site))
        problem = eventually(lambda: stream_status(streaming).get("pauseCheckProblem"))
        assert problem.startswith("The pod may not read ingestpauses")
        create(streaming, "meanwhile")
        assert "PAUSE_CHECK_FAILED" in streaming.run("logs", "-l", "app.kubernetes.io/name=sluice-ingest", "--tail=-1")
        assert stream_status(streaming)["symbols"]["pausedSymbols"] == ["SPY"]
        assert len(upstream.open_connections) == 1
    eventually(lambda: sources(streaming) == ["pause:meanwhile"], 20)
    assert upstream.open_connections == []
    eventually(lambda: "pauseCheckProblem" not in stream_status(streaming))


def test_without_the_kind_the_pod_streams_and_with_it_a_pause_acts(streaming: Tenant, upstream: Upstream) -> None:
    kubectl = streaming.kubectl
    kubectl("delete", "crd", KIND)
    try:
        assert_streams(streaming, upstream)
        os.kill(pod_of(streaming), signal.SIGKILL)
        eventually(lambda: not upstream.open_connections)
        eventually(lambda: upstream.open_connections)
        assert_streams(streaming, upstream)
        assert "pauseCheckProblem" not in stream_status(streaming)
    finally:
        kubectl("apply", "-f", str(CRDS / f"{KIND}.yaml"))
        kubectl("wait", "--for=condition=Established", f"crd/{KIND}", "--timeout=30s")
    create(streaming, "us")
    eventually(lambda: not upstream.open_connections, 20)
    assert sources(streaming) == ["pause:us"]


def test_a_pause_stays_in_force_without_the_api_server_and_ends_by_the_clock_of_the_pod(
    tenant: Tenant, site: Quickstart
) -> None:
    tenant.apply()  # of a provider without connection slots, which are claimed at the API server
    tenant.settled("Streaming")
    with no_operator(tenant.kubectl):
        until = (datetime.now(UTC) + timedelta(seconds=6)).replace(microsecond=0)
        create(tenant, "timed", until=f"{until:%Y-%m-%dT%H:%M:%SZ}")
        eventually(lambda: sources(tenant) == ["pause:timed"], 5)
        with stopped_api_server(api_port(site)):
            written = tenant.writes()
            eventually(lambda: tenant.writes() != written)
            assert datetime.now(UTC) >= until


def test_a_pod_streams_without_the_api_server_and_obeys_a_pause_that_is_created_after_it(
    streaming: Tenant, site: Quickstart, upstream: Upstream
) -> None:
    with stopped_api_server(api_port(site)):
        assert_streams(streaming, upstream)
        time.sleep(2)
        assert_streams(streaming, upstream)
    create(streaming, "after")
    eventually(lambda: not upstream.open_connections, FOUND_SECONDS)


def test_a_pause_reaches_a_pod_whose_connections_to_the_api_server_are_half_open(
    streaming: Tenant, site: Quickstart, upstream: Upstream
) -> None:
    with half_open(pod_of(streaming), api_port(site)) as lost:
        assert len(lost) >= 3  # the watches of the job and of both kinds of pauses
        create(streaming, "us")
        with assert_takes_at_most(FOUND_SECONDS):
            eventually(lambda: not upstream.open_connections, 60)


def test_a_restarted_container_opens_no_socket_during_a_pause(streaming: Tenant, upstream: Upstream) -> None:
    create(streaming, "us")
    eventually(lambda: not upstream.open_connections)
    opened = connections_so_far(upstream)
    restart_container(streaming)
    eventually(lambda: sources(streaming) == ["pause:us"])
    assert connections_so_far(upstream) == opened


def test_a_restarted_container_reads_the_pauses_before_it_opens_a_socket(streaming: Tenant, upstream: Upstream) -> None:
    opened = connections_so_far(upstream)
    os.kill(pod_of(streaming), signal.SIGSTOP)  # the process stores nothing of the pause
    create(streaming, "us")
    restart_container(streaming)
    eventually(lambda: sources(streaming) == ["pause:us"])
    assert connections_so_far(upstream) == opened


def restart_container(tenant: Tenant) -> None:
    """Kill the process of the pod, and wait until the next one has reported."""
    before = stream_status(tenant)["heartbeat"]["sessionID"]
    os.kill(pod_of(tenant), signal.SIGKILL)
    eventually(lambda: stream_status(tenant)["heartbeat"]["sessionID"] != before, 30)


def test_a_pause_that_cannot_be_decoded_is_in_force_until_it_is_deleted(
    streaming: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    with no_schema_of_the_spec(kubectl):
        create(streaming, "newer", jobs={"named": ["other"]})
        eventually(lambda: not upstream.open_connections, 5)
        eventually(lambda: sources(streaming) == ["unreadable"])
        assert "IngestPause newer: spec.jobs is not understood" in stream_status(streaming)["pause"]["reason"]
        streaming.run("delete", "ipause", "newer")
        eventually(lambda: upstream.open_connections)


@contextmanager
def no_schema_of_the_spec(kubectl: Kubectl) -> Iterator[None]:
    """Let the API server accept any spec of an IngestPause while the context lasts."""
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    patch = [{"op": "replace", "path": path, "value": anything}]
    kubectl("patch", "crd", KIND, "--type=json", "-p", json.dumps(patch))
    time.sleep(1.0)  # The API server starts to use a new schema a moment later.
    try:
        yield
    finally:
        kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS / f"{KIND}.yaml"))
