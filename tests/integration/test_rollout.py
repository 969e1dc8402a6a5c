"""A rollout on a real API server: a share at a time, paused jobs first, and no further pod after failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_contract import conditions as c
from sluice_devcluster.quickstart import SYSTEM_NAMESPACE, Quickstart
from support.operator_install import InstalledOperator
from support.pod_webhook import injected_container, pod_webhook
from support.site import Tenant, eventually

JOBS = [f"feed-{number}" for number in range(6)]
PAUSED = JOBS[4]
SYSTEM = ("-n", SYSTEM_NAMESPACE)
SETTINGS = ("SLUICE_ROLLOUT_MAX_UNAVAILABLE=2", "SLUICE_ROLLOUT_DEADLINE_SECONDS=20")
# The node of devcluster ignores images, so a failing init container stands for an image that does not start.
FAILING = [{"op": "add", "path": "/spec/initContainers", "value": [injected_container("bad-image", "false")]}]
MINUTES = 180.0


@pytest.fixture
def operator(site: Quickstart) -> Iterator[InstalledOperator]:
    """The base's operator with one replica. At the end, it has the image and the settings from before."""
    deployment = site.kubectl.get("deployment/sluice-operator", *SYSTEM)["spec"]
    [container] = deployment["template"]["spec"]["containers"]
    [image] = [each["value"] for each in container["env"] if each["name"] == "SLUICE_RUNTIME_IMAGE"]
    found = InstalledOperator(site.kubectl)
    yield found
    unset = [f"{each.partition('=')[0]}-" for each in SETTINGS]
    found.restart(f"SLUICE_RUNTIME_IMAGE={image}", *unset)
    found.wait_until_ready()
    site.kubectl("scale", "deployment/sluice-operator", *SYSTEM, f"--replicas={deployment['replicas']}")


def uids(tenant: Tenant) -> dict[str, str]:
    """Return the UID of the pod of each job, except of pods that are being deleted."""
    pods = [pod["metadata"] for pod in tenant.pods()]
    return {each["labels"]["sluice.dev/job"]: each["uid"] for each in pods if "deletionTimestamp" not in each}


def images(tenant: Tenant) -> dict[str, str]:
    """Return the image of the pod of each job, except of pods that are being deleted."""
    pods = [pod for pod in tenant.pods() if "deletionTimestamp" not in pod["metadata"]]
    return {pod["metadata"]["labels"]["sluice.dev/job"]: pod["spec"]["containers"][0]["image"] for pod in pods}


def pending(tenant: Tenant) -> dict[str, str]:
    """Return the reason of condition ReplacementPending of each job."""
    return {job: tenant.condition(c.REPLACEMENT_PENDING, job)[1] for job in JOBS}


def ready(tenant: Tenant) -> set[str]:
    """Return the jobs that are ready and have a pod."""
    return {job for job in uids(tenant) if tenant.condition(c.READY, job)[0] == "True"}


def test_a_rollout_replaces_two_pods_at_a_time_and_stops_after_failures(
    tenant: Tenant, operator: InstalledOperator, tmp_path: Path
) -> None:
    for job in JOBS:
        own = {"heartbeat": {"document": job}, "firestore": {"liveQuotesCollection": job.replace("-", "_")}}
        tenant.apply(job, enabled=job != PAUSED, **own)
    eventually(lambda: ready(tenant) == set(JOBS), MINUTES)
    before = uids(tenant)

    operator.restart("SLUICE_RUNTIME_IMAGE=sluice-runtime:2", *SETTINGS)
    replaced_first: set[str] = set()
    most_missing = 0

    def is_complete() -> bool:
        nonlocal most_missing
        now = uids(tenant)
        unchanged = {job for job, uid in now.items() if before[job] == uid}
        unready = {job for job in JOBS if job not in unchanged and tenant.condition(c.READY, job)[0] != "True"}
        most_missing = max(most_missing, len(unready))
        if not replaced_first and len(unchanged) < len(JOBS):
            replaced_first.update(set(JOBS) - unchanged)
        return ready(tenant) == set(JOBS) and set(images(tenant).values()) == {"sluice-runtime:2"}

    eventually(is_complete, MINUTES)
    assert PAUSED in replaced_first
    assert most_missing <= 2

    tenant.allow_injected_containers()
    with pod_webhook(tenant.kubectl, tenant.name, tmp_path, FAILING):
        operator.restart("SLUICE_RUNTIME_IMAGE=sluice-runtime:bad")
        eventually(lambda: list(pending(tenant).values()).count(c.NOT_READY_IN_TIME) == 2, MINUTES)
        failed = {job for job, reason in pending(tenant).items() if reason == c.NOT_READY_IN_TIME}
        eventually(lambda: set(pending(tenant).values()) == {c.NOT_READY_IN_TIME, c.ROLLOUT_STOPPED}, MINUTES)
        assert 'sluice_operator_rollout_stopped{cause="Operator"} 1.0' in operator.metrics()
        assert ready(tenant) >= set(JOBS) - failed  # a paused job without a pod that runs is ready, too
