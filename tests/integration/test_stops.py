"""A stop takes effect, whoever requests it in whichever way, and whatever is in its way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from sluice_contract.schema import custom_resource_definition
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Site
from support.callers import Callers
from support.packet_loss import connections, half_open
from support.processes import pod_process
from support.site import Tenant, eventually, streaming_from
from support.stop_requests import REQUESTS, Request, by_patch
from support.upstream import Upstream

OPERATOR = ("deployment/sluice-operator", "-n", "sluice-system")
TIME = "2026-11-23T14:00:00Z"


def seconds_until(check: Callable[[], object], limit: float) -> float:
    """How long it takes until the check is true."""
    began = time.monotonic()
    eventually(check, limit)
    return time.monotonic() - began


def pod_of(tenant: Tenant) -> int:
    """The process of the tenant's pod."""
    return pod_process("sluice-runtime", f"POD_UID={tenant.job()['status']['stream']['podUID']}")


def api_port(site: Site) -> int:
    """The port of the API server."""
    server = site.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
    port = urlsplit(server).port
    assert port is not None
    return port


def is_confirmed(tenant: Tenant) -> bool:
    """Whether the pod has acknowledged a pause of the newest stop fields."""
    job = tenant.job()
    stream = job["status"]["stream"]
    return "acknowledgedAt" in stream.get("pause", {}) and stream["stopsGeneration"] == job["metadata"]["generation"]


def is_paused(tenant: Tenant) -> bool:
    return tenant.condition("Paused")[0] == "True"


def assert_nothing_is_written(tenant: Tenant) -> None:
    written = tenant.writes()
    time.sleep(0.5)
    assert tenant.writes() == written


def stream_from(tenant: Tenant, upstream: Upstream, **alpaca: Any) -> None:
    """A job that streams from the protocol server, and has written quotes."""
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    spec = streaming_from(upstream)
    tenant.apply(**spec | {"alpaca": {**spec["alpaca"], **alpaca}})  # type: ignore[dict-item]
    tenant.settled("Streaming")
    eventually(tenant.writes)


@pytest.fixture(scope="module")
def user(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Tenant], Kubectl]:
    """kubectl as a tenant's own user, who has the role `edit` in the tenant's namespace."""
    callers = Callers(site, tmp_path_factory.mktemp("callers"))

    def made(tenant: Tenant) -> Kubectl:
        tenant.run("create", "serviceaccount", "user")
        tenant.run("create", "rolebinding", "user", "--clusterrole=edit", f"--serviceaccount={tenant.name}:user")
        return callers.account(tenant.name, "user")

    return made


@contextmanager
def no_operator(kubectl: Kubectl) -> Iterator[None]:
    """The operator's deployment has no replicas while the context lasts."""
    kubectl("scale", *OPERATOR, "--replicas=0")
    eventually(lambda: not kubectl.get("pods", "-n", "sluice-system")["items"], 60)
    try:
        yield
    finally:
        kubectl("scale", *OPERATOR, "--replicas=1")
        kubectl("rollout", "status", *OPERATOR, "--timeout=60s")


@contextmanager
def another_definition(kubectl: Kubectl, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """The CRD with a changed schema while the context lasts."""
    changed = custom_resource_definition()
    change(changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"])
    _define(kubectl, changed)
    try:
        yield
    finally:
        _define(kubectl, custom_resource_definition())


def _define(kubectl: Kubectl, definition: dict[str, Any]) -> None:
    text = json.dumps(definition)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=text)
    time.sleep(1.0)  # the API server takes a new schema into use a moment later


@pytest.mark.parametrize("request_stop", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("engine", ["native", "sdk"])
def test_a_stop_of_the_tenant_s_own_user_is_confirmed_within_five_seconds(
    tenant: Tenant, upstream: Upstream, user: Callable[[Tenant], Kubectl], engine: str, request_stop: Request
) -> None:
    stream_from(tenant, upstream, engine=engine)
    request_stop(user(tenant), tenant.job(), {"enabled": False})
    assert seconds_until(lambda: is_paused(tenant), 15) < 5
    assert upstream.open_connections == []
    assert_nothing_is_written(tenant)


@pytest.mark.parametrize("request_stop", REQUESTS.values(), ids=REQUESTS)
def test_a_stop_is_obeyed_and_acknowledged_while_the_operator_is_down(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream, request_stop: Request
) -> None:
    stream_from(tenant, upstream)
    with no_operator(kubectl):
        request_stop(kubectl, tenant.job(), {"pause": {"reason": "vendor incident"}})
        assert seconds_until(lambda: is_confirmed(tenant), 15) < 5
        assert upstream.open_connections == []
    eventually(lambda: is_paused(tenant))


def test_a_stop_reaches_a_pod_whose_connections_to_the_api_server_are_half_open(
    tenant: Tenant, site: Site, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    with half_open(pod_of(tenant), api_port(site)):
        tenant.patch(enabled=False)
        assert seconds_until(lambda: is_paused(tenant), 30) < 15
    assert upstream.open_connections == []


def test_a_frozen_pod_is_deleted_and_its_socket_closed_within_its_grace_period(
    tenant: Tenant, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    os.kill(pod_of(tenant), signal.SIGSTOP)
    tenant.patch(enabled=False)
    eventually(lambda: any("deletionTimestamp" in each["metadata"] for each in tenant.pods()), 18)
    [event] = [
        each for each in tenant.kubectl.get("events", "-n", tenant.name)["items"] if each["reason"] == "StopEnforced"
    ]
    assert "did not confirm the stop" in event["message"]
    assert tenant.condition("Paused") == ("False", "NotAcknowledged")
    eventually(lambda: not upstream.open_connections, 22)
    eventually(lambda: is_paused(tenant))


def test_a_pod_whose_reports_are_refused_is_stopped_by_the_operator(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    tenant.run("delete", "rolebinding", "sluice-ingest")
    tenant.patch(enabled=False)
    eventually(lambda: tenant.condition("Paused")[0] == "True", 45)
    assert upstream.open_connections == []
    reasons = {each["reason"] for each in kubectl.get("events", "-n", tenant.name)["items"]}
    assert "StopEnforced" in reasons
    # What kept the pod from reporting is repaired with the next pod.
    eventually(lambda: is_confirmed(tenant), 45)


def test_a_job_that_is_deleted_stops_streaming_although_a_finalizer_holds_it(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    tenant.run("patch", "ij", "feed", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/backup"]}}')
    try:
        with no_operator(kubectl):
            tenant.run("delete", "ij", "feed", "--wait=false")
            assert seconds_until(lambda: not upstream.open_connections, 15) < 5
            eventually(lambda: tenant.heartbeat()["status"] == "stopped")
            assert_nothing_is_written(tenant)
        eventually(lambda: not tenant.pods(), 30)
        eventually(lambda: tenant.condition("Ready") == ("False", "Deleting"))
        assert tenant.condition("Streaming")[0] == "False"
        tenant.patch(enabled=False)
        eventually(lambda: is_paused(tenant))
        assert tenant.heartbeat()["status"] == "stopped"
    finally:
        tenant.run("patch", "ij", "feed", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


def test_a_value_that_only_a_newer_version_knows_leaves_the_stream_on_and_the_stop_works(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)

    def change(schema: dict[str, Any]) -> None:
        schema["spec"]["properties"]["channels"]["items"]["enum"].append("depth")

    with another_definition(kubectl, change):
        before = tenant.job()["status"]["observedGeneration"]
        tenant.patch(channels=["quotes", "depth"])
        eventually(lambda: tenant.condition("Ready") == ("False", "SpecNotUnderstood"))
        status = tenant.job()["status"]
        assert status["observedGeneration"] == before
        assert status["stream"]["specProblem"].startswith("spec.channels[1] is not understood")
        assert len(upstream.open_connections) == 1
        tenant.patch(enabled=False)
        assert seconds_until(lambda: is_paused(tenant), 15) < 5
        assert upstream.open_connections == []
        tenant.patch(enabled=True)
        eventually(lambda: len(upstream.open_connections) == 1)
        tenant.patch(channels=["quotes"])
        tenant.settled("Streaming")


# What a newer version may write where this one knows an enumeration.
UNKNOWN_VALUES: dict[str, dict[str, Any]] = {
    "phase": {"phase": "Unheard"},
    "conditions.status": {
        "conditions": [
            {
                "type": "Ready",
                "status": "Unheard",
                "reason": "Unheard",
                "message": "",
                "lastTransitionTime": TIME,
                "observedGeneration": 1,
            }
        ]
    },
    "stream.state": {"stream": {"state": "Unheard"}},
    "stream.heartbeat.status": {"stream": {"heartbeat": {"status": "Unheard"}}},
    "stream.gaps.cause": {"stream": {"gaps": [{"from": TIME, "to": TIME, "cause": "Unheard"}]}},
    "stream.failure.type": {"stream": {"failure": {"type": "Unheard", "message": "of a newer version", "at": TIME}}},
}


def test_an_unknown_value_in_each_enumeration_of_the_status_lets_a_stop_through(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    extended: list[str] = []

    def change(schema: dict[str, Any]) -> None:
        extended.extend(_extend_enumerations(schema["status"]))

    with another_definition(kubectl, change):
        assert set(extended) == set(UNKNOWN_VALUES)
        for field, status in UNKNOWN_VALUES.items():
            _store_status(tenant, status)
            tenant.patch(enabled=False)
            assert seconds_until(lambda: is_paused(tenant), 15) < 5, field
            assert upstream.open_connections == []
            tenant.patch(enabled=True)
            tenant.settled("Streaming")


def _extend_enumerations(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Add a value to each enumeration, and yield the dotted paths of all."""
    for name, field in schema.get("properties", {}).items():
        if "enum" in field:
            field["enum"].append("Unheard")
            yield f"{path}{name}"
        yield from _extend_enumerations(field.get("items", field), f"{path}{name}.")


def _store_status(tenant: Tenant, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    tenant.run("patch", "ij", "feed", "--subresource=status", "--type=merge", "-p", patch)


def test_a_document_that_an_older_schema_let_through_pauses_the_job_and_can_be_reported(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)

    def change(schema: dict[str, Any]) -> None:
        schema["spec"]["properties"]["pause"]["properties"]["until"] = {"type": "string", "format": "date-time"}

    with another_definition(kubectl, change):
        tenant.patch(pause={"reason": "bad prints", "until": []})
        assert seconds_until(lambda: is_paused(tenant), 15) < 10
    assert upstream.open_connections == []
    pause = tenant.job()["status"]["stream"]["pause"]
    assert pause["source"] == "unreadable"
    assert pause["reason"].startswith("spec.pause.until is not understood: ")
    # The newer schema refuses the value, but neither a stop beside it, nor what repairs it.
    by_patch(kubectl, tenant.job(), {"enabled": False})
    eventually(lambda: is_confirmed(tenant))
    tenant.patch(pause=None, enabled=True)
    tenant.settled("Streaming")


def test_a_pod_starts_with_the_largest_job_that_the_schema_accepts(tenant: Tenant) -> None:
    symbols = [f"{'S' * 15}{number:04d}" for number in range(2000)]
    pauses = [{"symbol": each, "reason": "r" * 256} for each in symbols[:200]]
    tenant.apply(symbols=symbols, pausedSymbols=pauses)
    status = tenant.settled("Streaming")
    assert status["stream"]["symbols"]["desired"] == 1800
    assert status["stream"]["symbols"]["paused"] == 200


def test_every_connection_of_the_pod_to_the_api_server_has_keepalive(tenant: Tenant, site: Site) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    process, port = pod_of(tenant), api_port(site)
    eventually(lambda: connections(process, port))
    local_ports = {each.local_port for each in connections(process, port)}
    shown = subprocess.run(["ss", "-tnoH", f"dport = :{port}"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in shown.splitlines() if int(line.split()[3].rpartition(":")[2]) in local_ports]
    assert lines
    # A timer of another kind runs only while data is not acknowledged.
    assert all("timer:(" in line for line in lines), shown
