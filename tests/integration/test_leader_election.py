"""Two replicas on a real API server: after any failure of the leader, one soon leads, and no ingest pod is affected."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.operator_replicas import LEASE, OPERATOR, SYSTEM, leader, lease, process, settled_leader
from support.site import Tenant, eventually

TERMS = ("SLUICE_LEASE_SECONDS", "SLUICE_LEASE_RENEW_SECONDS", "SLUICE_LEASE_RETRY_SECONDS")
# A fifth of the shipped lease timings, so that the tests take less time.
LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS = 3.0, 2.0, 0.4
TAKEOVER_SECONDS = LEASE_SECONDS + 2 * RETRY_SECONDS + 2  # the remaining seconds are for kubectl


@pytest.fixture(scope="module", autouse=True)
def two_replicas(site: Quickstart) -> Iterator[None]:
    """Run both replicas with short lease timings; restore the shipped ones afterwards."""
    values = (LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS)
    site.kubectl("scale", *OPERATOR, "--replicas=2")
    site.kubectl("set", "env", *OPERATOR, *(f"{name}={value}" for name, value in zip(TERMS, values, strict=True)))
    site.kubectl("rollout", "status", *OPERATOR, "--timeout=60s")
    yield
    with_shipped_terms(site.kubectl)


def with_shipped_terms(kubectl: Kubectl) -> None:
    """Roll the replicas one after the other, unless they already have the shipped timings."""
    kubectl("set", "env", *OPERATOR, *(f"{name}-" for name in TERMS))
    kubectl("rollout", "status", *OPERATOR, "--timeout=60s")


def has_ended(process_id: int) -> bool:
    """Return whether the process has exited; a zombie counts as exited."""
    try:
        return not Path(f"/proc/{process_id}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


def last_exit(kubectl: Kubectl, pod: str) -> int | None:
    """Return the exit code of the replica's last process that ended, or None if none has."""
    [status] = kubectl.get("pod", pod, *SYSTEM)["status"]["containerStatuses"]
    ended = status["lastState"].get("terminated") or status["state"].get("terminated")
    return ended["exitCode"] if ended else None


def operators_part(tenant: Tenant) -> tuple[dict[str, Any], list[str]]:
    """Return the operator's fields of a job's status, and the times at which it last changed any."""
    job = tenant.job()
    status = {name: value for name, value in job["status"].items() if name != "stream"}
    shown = tenant.kubectl.get("ij", "feed", "-n", tenant.name, "--show-managed-fields")
    return status, [each["time"] for each in shown["metadata"]["managedFields"] if each["manager"] == "sluice-operator"]


@pytest.fixture(scope="module")
def tenant(site: Quickstart, two_replicas: None) -> Iterator[Tenant]:
    """One feed for all tests of this file."""
    found = Tenant(site.kubectl, site.emulator, "tenant-election")
    found.apply()
    found.settled("Streaming")
    yield found
    site.kubectl("delete", "namespace", found.name, "--wait=false")


@pytest.fixture
def feed(tenant: Tenant) -> Iterator[Tenant]:
    """The feed. After the test, check that it is reconciled, by the same pod and process as before."""
    before = tenant.settled("Streaming")
    yield tenant
    tenant.patch(symbols=["SPY", f"S{before['observedGeneration']}"])
    after = tenant.settled("Streaming")
    assert after["stream"]["podUID"] == before["stream"]["podUID"]
    assert after["stream"]["heartbeat"]["sessionID"] == before["stream"]["heartbeat"]["sessionID"]
    assert after["epoch"] == before["epoch"]


@pytest.mark.usefixtures("feed")
def test_when_the_pod_of_a_killed_leader_is_gone_the_standby_takes_over(kubectl: Kubectl) -> None:
    first = settled_leader(kubectl)
    killed = process(first)
    os.kill(killed, signal.SIGSTOP)  # so that it does not release the Lease
    kubectl("delete", "pod", first, *SYSTEM, "--grace-period=0", "--force")
    with suppress(ProcessLookupError):  # the node kills it, too
        os.kill(killed, signal.SIGKILL)
    eventually(lambda: leader(kubectl) not in ("", first), TAKEOVER_SECONDS)


def test_a_leader_stopped_past_its_deadline_writes_nothing_more_and_exits(feed: Tenant, kubectl: Kubectl) -> None:
    first = settled_leader(kubectl)
    stopped = process(first)
    os.kill(stopped, signal.SIGSTOP)
    try:
        feed.patch(enabled=False)  # This change waits for the stopped process to reconcile it.
        eventually(lambda: leader(kubectl) not in ("", first))
        feed.settled("Paused")
        before = operators_part(feed)
    finally:
        os.kill(stopped, signal.SIGCONT)
    eventually(lambda: has_ended(stopped), seconds=10)
    assert eventually(lambda: last_exit(kubectl, first)) == 1
    assert operators_part(feed) == before
    feed.patch(enabled=True)
    feed.settled("Streaming")


@pytest.mark.usefixtures("feed")
def test_a_deleted_lease_stays_with_its_leader(kubectl: Kubectl) -> None:
    first = settled_leader(kubectl)
    kubectl("delete", *LEASE)
    eventually(lambda: leader(kubectl) == first, seconds=15)
    time.sleep(LEASE_SECONDS + RETRY_SECONDS)
    assert leader(kubectl) == first


@pytest.mark.usefixtures("feed")
def test_a_leader_that_loses_its_lease_exits_and_the_lease_is_taken_when_it_expires(kubectl: Kubectl) -> None:
    first = settled_leader(kubectl)
    stolen = process(first)
    kubectl("patch", *LEASE, "--type=merge", "-p", '{"spec":{"holderIdentity":"thief_1"}}')
    eventually(lambda: has_ended(stolen))
    eventually(lambda: leader(kubectl) not in ("", "thief"), TAKEOVER_SECONDS)


@pytest.mark.usefixtures("feed")
def test_a_rolling_update_hands_over_the_leadership_at_once(kubectl: Kubectl) -> None:
    settled_leader(kubectl)
    renewals: set[datetime] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            renewals.add(lease(kubectl)[1])

    watcher = threading.Thread(target=watch)
    watcher.start()
    with_shipped_terms(kubectl)
    over.set()
    watcher.join()
    ordered = sorted(renewals)
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(ordered)]
    assert max(gaps) <= 2 * 2.0  # one retry period as shipped, and a second one as a margin
