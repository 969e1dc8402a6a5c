"""An ingest pod writes only the Leases of connection slots, and claims a slot only for its own job."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from support.callers import Callers
from support.changed_manifests import REMOVED, Manifest, with_field
from support.changed_manifests import Path as FieldPath
from support.site import Tenant

NAMESPACE = "slot-leases"
TIME = "2026-11-29T15:00:00.000000Z"
LEASE: Manifest = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "sluice-slot-new", "namespace": NAMESPACE},
    "spec": {"holderIdentity": "feed", "leaseDurationSeconds": 60, "renewTime": TIME},
}
HELD = {"name": "sluice-slot-held", "namespace": NAMESPACE}
OF_OTHER = LEASE | {"metadata": HELD, "spec": LEASE["spec"] | {"holderIdentity": "other"}}
OWNERS: FieldPath = ("metadata", "ownerReferences")
OWNER = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestJob", "name": "feed", "uid": "1"}
DRY = "--dry-run=server"

TIMES = "in the years 2020 to 2199"
REFUSED: dict[str, tuple[FieldPath, object, str]] = {
    "another name": (("metadata", "name"), "leader", "whose names start with sluice-slot-; this is leader"),
    "another holder": (("spec", "holderIdentity"), "other", "the holder other is not the job of pod feed-ingest"),
    "the pod as holder": (("spec", "holderIdentity"), "feed-ingest", "the holder feed-ingest is not the job"),
    "61 seconds": (("spec", "leaseDurationSeconds"), 61, "for at most 60 s"),
    "renewed in the year 0": (("spec", "renewTime"), "0000-01-01T00:00:00.000000Z", TIMES),
    "renewed in 2019": (("spec", "renewTime"), "2019-12-31T23:59:59.999999Z", TIMES),
    "renewed in 2200": (("spec", "renewTime"), "2200-01-01T00:00:00.000000Z", TIMES),
    "renewed in the year 10000": (("spec", "renewTime"), "9999-12-31T23:59:59.000000-23:00", TIMES),
    "acquired in 1970": (("spec", "acquireTime"), "1970-01-01T00:00:00.000000Z", TIMES),
}
ADMITTED: dict[str, tuple[FieldPath, object]] = {
    "itself": (("spec", "holderIdentity"), "feed"),
    "no one": (("spec", "holderIdentity"), REMOVED),
    "no duration": (("spec", "leaseDurationSeconds"), REMOVED),
    "no time": (("spec", "renewTime"), REMOVED),
    "the first second of 2020": (("spec", "renewTime"), "2020-01-01T00:00:00.000000Z"),
    "the last second of 2199": (("spec", "renewTime"), "2199-12-31T23:59:59.999999Z"),
}


@pytest.fixture(scope="module")
def callers(site: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """A namespace with a running pod feed-ingest, and a Lease that job `other` holds."""
    tenant = Tenant(site.kubectl, site.emulator, NAMESPACE)
    tenant.apply()
    tenant.settled("Streaming")
    site.kubectl.apply([OF_OTHER])
    yield Callers(site, tmp_path_factory.mktemp("callers"))
    site.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def pod(callers: Callers) -> Kubectl:
    """kubectl with the token of pod feed-ingest."""
    return callers.account(NAMESPACE, "sluice-ingest", pod="feed-ingest")


def write(caller: Kubectl, lease: Manifest) -> str:
    """Create the Lease, or replace the one that is held, as a dry run."""
    verb = "replace" if lease["metadata"]["name"] == HELD["name"] else "create"
    return caller(verb, DRY, "-f", "-", text=json.dumps(lease))


@pytest.mark.parametrize("lease", [LEASE, LEASE | {"metadata": HELD}], ids=["created", "updated"])
@pytest.mark.parametrize("case", [case for case in REFUSED if case != "another name"])
def test_a_pod_cannot_write_such_a_claim(case: str, lease: Manifest, pod: Kubectl) -> None:
    path, value, sentence = REFUSED[case]
    if (lease["metadata"], value) == (HELD, "other"):
        lease = with_field(lease, ("spec", "renewTime"), TIME.replace("15:00", "15:01"))
    with pytest.raises(KubectlError, match=sentence):
        write(pod, with_field(lease, path, value))


def test_a_pod_cannot_create_a_lease_of_another_name(pod: Kubectl) -> None:
    path, value, sentence = REFUSED["another name"]
    with pytest.raises(KubectlError, match=sentence):
        write(pod, with_field(LEASE, path, value))


@pytest.mark.parametrize("lease", [LEASE, LEASE | {"metadata": HELD}], ids=["created", "updated"])
@pytest.mark.parametrize("case", ADMITTED)
def test_a_pod_claims_and_releases_the_slot_of_its_job(case: str, lease: Manifest, pod: Kubectl) -> None:
    path, value = ADMITTED[case]
    write(pod, with_field(lease, path, value))


@pytest.mark.parametrize("renewed", [TIME, "0000-01-01T00:00:00.000000Z"])
def test_a_pod_adds_its_job_to_the_owners_of_another_job_s_claim(renewed: str, pod: Kubectl, kubectl: Kubectl) -> None:
    held = with_field(OF_OTHER, ("spec", "renewTime"), renewed)
    kubectl.apply([held])
    write(pod, with_field(held, OWNERS, [OWNER]))


def test_a_token_that_is_bound_to_no_pod_claims_no_slot(callers: Callers) -> None:
    with pytest.raises(KubectlError, match="is not the job of a token that is bound to no pod"):
        write(callers.account(NAMESPACE, "sluice-ingest"), LEASE)
