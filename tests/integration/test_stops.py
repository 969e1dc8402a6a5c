"""A stop takes effect, whatever the user, the way of the request and the fault in its way."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

import pytest

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.callers import Callers
from support.cluster_roles import without_rights
from support.operator_replicas import no_operator
from support.packet_loss import connections, half_open
from support.site import Tenant, eventually
from support.stop_checks import (
    api_port,
    assert_nothing_is_written,
    is_confirmed,
    is_paused,
    pod_of,
    stream_from,
)
from support.stop_requests import REQUESTS, Request
from support.upstream import Upstream


@pytest.fixture(scope="module")
def user(site: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Tenant], Kubectl]:
    """kubectl as a user of the tenant, who has the role `edit` in the tenant's namespace."""
    callers = Callers(site, tmp_path_factory.mktemp("callers"))

    def made(tenant: Tenant) -> Kubectl:
        tenant.run("create", "serviceaccount", "user")
        tenant.run("create", "rolebinding", "user", "--clusterrole=edit", f"--serviceaccount={tenant.name}:user")
        return callers.account(tenant.name, "user")

    return made


@pytest.mark.parametrize("request_stop", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("engine", ["native", "sdk"])
def test_a_stop_by_the_tenant_s_own_user_is_confirmed_within_five_seconds(
    tenant: Tenant, upstream: Upstream, user: Callable[[Tenant], Kubectl], engine: str, request_stop: Request
) -> None:
    stream_from(tenant, upstream, engine=engine)
    request_stop(user(tenant), tenant.job(), {"enabled": False})
    eventually(lambda: is_paused(tenant), 5)
    assert upstream.open_connections == []
    assert_nothing_is_written(tenant)


@pytest.mark.parametrize("request_stop", REQUESTS.values(), ids=REQUESTS)
def test_a_stop_takes_effect_and_is_acknowledged_while_the_operator_is_down(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream, request_stop: Request
) -> None:
    stream_from(tenant, upstream)
    with no_operator(kubectl):
        request_stop(kubectl, tenant.job(), {"pause": {"reason": "vendor incident"}})
        eventually(lambda: is_confirmed(tenant), 5)
        assert upstream.open_connections == []
    eventually(lambda: is_paused(tenant))


def test_a_stop_reaches_a_pod_whose_connections_to_the_api_server_are_half_open(
    tenant: Tenant, site: Quickstart, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    with half_open(pod_of(tenant), api_port(site)):
        tenant.patch(enabled=False)
        eventually(lambda: is_paused(tenant), 15)
    assert upstream.open_connections == []


def test_a_frozen_pod_is_deleted_and_its_socket_closed(tenant: Tenant, upstream: Upstream) -> None:
    stream_from(tenant, upstream)
    os.kill(pod_of(tenant), signal.SIGSTOP)
    tenant.patch(enabled=False)
    eventually(lambda: any("deletionTimestamp" in each["metadata"] for each in tenant.pods()), 60)
    [event] = [
        each for each in tenant.kubectl.get("events", "-n", tenant.name)["items"] if each["reason"] == "StopEnforced"
    ]
    assert "did not confirm the stop" in event["message"]
    assert tenant.condition("Paused") == ("False", "NotAcknowledged")
    eventually(lambda: not upstream.open_connections, 75)
    eventually(lambda: is_paused(tenant))


def test_the_operator_stops_a_pod_whose_reports_are_rejected(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    with without_rights(kubectl, "sluice-ingest", ["ingestjobs/status"]):
        tenant.patch(enabled=False)
        eventually(lambda: tenant.condition("Paused")[0] == "True", 45)
        assert upstream.open_connections == []
        reasons = {each["reason"] for each in kubectl.get("events", "-n", tenant.name)["items"]}
        assert "StopEnforced" in reasons
    eventually(lambda: is_confirmed(tenant), 45)


def test_a_deleted_job_stops_streaming_while_a_finalizer_holds_it(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    tenant.run("patch", "ij", "feed", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/backup"]}}')
    try:
        with no_operator(kubectl):
            tenant.run("delete", "ij", "feed", "--wait=false")
            eventually(lambda: not upstream.open_connections, 5)
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


def test_a_pod_starts_with_the_largest_job_that_the_schema_accepts(tenant: Tenant) -> None:
    symbols = [f"{'S' * 15}{number:04d}" for number in range(2000)]
    pauses = [{"symbol": each, "reason": "r" * 256} for each in symbols[:200]]
    tenant.apply(symbols=symbols, pausedSymbols=pauses)
    status = tenant.settled("Streaming", seconds=30)
    assert status["stream"]["symbols"]["desired"] == 1800
    assert status["stream"]["symbols"]["paused"] == 200


def test_every_connection_of_the_pod_to_the_api_server_has_keepalive(tenant: Tenant, site: Quickstart) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    process, port = pod_of(tenant), api_port(site)
    eventually(lambda: connections(process, port))
    local_ports = {each.local_port for each in connections(process, port)}
    shown = subprocess.run(["ss", "-tnoH", f"dport = :{port}"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in shown.splitlines() if int(line.split()[3].rpartition(":")[2]) in local_ports]
    assert lines
    # Another kind of timer runs only while data is not acknowledged.
    assert all("timer:(" in line for line in lines), shown
