"""One job in two clusters with one Firestore: a warm standby. The jobs have the same name and the same documents.

Each test leaves the job streaming in exactly one of the clusters. A heartbeat is due each second, so a takeover is due
after three.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice_contract import conditions as c
from sluice_devcluster.quickstart import Quickstart
from support.cluster import second_cluster
from support.pausable_relay import PausableRelay, pausable_relay
from support.processes import pod_process
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream

NAME = "two-clusters"
STALLED = ("True", c.DOCUMENT_CONFLICT)
KEYS = {"ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": "secret"}


@pytest.fixture(scope="module")
def relay(site: Quickstart) -> Iterator[PausableRelay]:
    with pausable_relay(site.emulator) as found:
        yield found


@pytest.fixture(scope="module")
def provider() -> Iterator[Upstream]:
    # A frozen pod keeps its connection, so a standby needs its own: by a second key, or a plan with two connections.
    with Upstream("--quotes-per-second", "50", "--connections", "2") as server:
        yield server


@pytest.fixture(scope="module")
def east(site: Quickstart, provider: Upstream) -> Iterator[Tenant]:
    found = Tenant(site.kubectl, site.emulator, NAME)
    found.secret("alpaca", **KEYS)
    found.apply(**streaming_from(provider))
    yield found
    site.kubectl("delete", "namespace", NAME, "--wait=false")


@pytest.fixture(scope="module")
def west(
    site: Quickstart, relay: PausableRelay, provider: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tenant]:
    with second_cluster(tmp_path_factory.mktemp("west"), relay.address) as kubectl:
        found = Tenant(kubectl, site.emulator, NAME)
        found.secret("alpaca", **KEYS)
        yield found


def pod_uid(tenant: Tenant) -> str:
    [pod] = tenant.pods()
    uid: str = pod["metadata"]["uid"]
    return uid


def job_uid(tenant: Tenant) -> str:
    uid: str = tenant.job()["metadata"]["uid"]
    return uid


def sessions_of_quotes(tenant: Tenant) -> set[str]:
    return {each["session_id"] for each in tenant.quotes().values()}


def session_of(tenant: Tenant) -> str:
    session: str = tenant.job()["status"]["stream"]["heartbeat"]["sessionID"]
    return session


def assert_only_one_writes(writer: Tenant, standby: Tenant, seconds: float = 3.0) -> None:
    """Assert that all documents are those of `writer`, and stay so, while `standby` is stalled."""
    eventually(lambda: standby.condition(c.STALLED) == STALLED)
    session = session_of(writer)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert sessions_of_quotes(writer) == {session}
        assert writer.heartbeat()["job_uid"] == job_uid(writer)
        time.sleep(0.1)
    assert writer.condition(c.STREAMING)[0] == "True"


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_the_later_job_connects_to_nothing_and_names_the_earlier_one(
    east: Tenant, west: Tenant, provider: Upstream
) -> None:
    east.settled("Streaming")
    west.apply(**streaming_from(provider))
    assert_only_one_writes(east, west)
    [stalled] = [each for each in west.job()["status"]["conditions"] if each["type"] == c.STALLED]
    cluster = east.kubectl.get("namespace", "kube-system")["metadata"]["uid"]
    assert f"job {NAME}/feed (uid {job_uid(east)}, cluster {cluster}) wrote the heartbeat" in stalled["message"]
    assert east.heartbeat()["cluster"] == cluster
    assert len(provider.record()["connections"]) == 1
    assert west.condition(c.CREDENTIALS_VALID)[0] != "False"


def test_a_pause_of_the_earlier_job_does_not_start_the_later_one(east: Tenant, west: Tenant) -> None:
    east.patch(enabled=False)
    east.settled("Paused")
    time.sleep(5)
    assert (west.condition(c.STALLED), east.heartbeat()["status"]) == (STALLED, "paused")
    east.patch(enabled=True)
    east.settled("Streaming")
    assert_only_one_writes(east, west)


def test_a_frozen_pod_is_taken_over_from_and_writes_nothing_when_it_wakes(east: Tenant, west: Tenant) -> None:
    with frozen(pod_process("sluice-runtime", f"POD_UID={pod_uid(east)}")):
        west.settled("Streaming", seconds=30)
        eventually(lambda: sessions_of_quotes(west) == {session_of(west)})
    assert_only_one_writes(west, east, 5)


def test_a_pod_without_firestore_is_taken_over_from_and_writes_nothing_late(
    east: Tenant, west: Tenant, relay: PausableRelay
) -> None:
    with relay.partitioned():
        east.settled("Streaming", seconds=30)
        eventually(lambda: sessions_of_quotes(east) == {session_of(east)})
        time.sleep(2)
    assert_only_one_writes(east, west, 5)


def test_a_cluster_that_is_gone_is_taken_over_from(east: Tenant, west: Tenant) -> None:
    east.kubectl("scale", "deployment/sluice-operator", "-n", "sluice-system", "--replicas=0")
    east.run("delete", "pod", "feed-ingest", "--grace-period=0", "--force")
    west.settled("Streaming", seconds=30)
    eventually(lambda: sessions_of_quotes(west) == {session_of(west)})
    assert west.heartbeat()["job_uid"] == job_uid(west)
    east.kubectl("scale", "deployment/sluice-operator", "-n", "sluice-system", "--replicas=1")
    eventually(lambda: east.condition(c.STALLED) == STALLED, 60)
    assert_only_one_writes(west, east)


def test_a_deleted_job_is_taken_over_from_at_the_next_heartbeat(east: Tenant, west: Tenant) -> None:
    west.run("delete", "ij", "feed")
    east.settled("Streaming", seconds=20)
    eventually(lambda: sessions_of_quotes(east) == {session_of(east)})
