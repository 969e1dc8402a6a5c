"""The commands in README.md that install Sluice on a cluster and remove it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from support import readme
from support.kind import ROOT, KindCluster
from support.leftovers import cluster_objects_of_sluice
from support.site import Tenant, eventually

MANIFESTS = ROOT / "manifests"
# test_dashboard.py applies the manifests of the dashboard, which have a namespace of their own. A component has no
# objects of its own.
FOLDERS = sorted(
    each.parent for each in MANIFESTS.glob("**/kustomization.yaml") if not {"dashboard", "components"} & {*each.parts}
)
# Kinds of the Prometheus operator, which manifests/monitoring needs and a kind cluster does not have by itself.
MONITORING_DEFINITIONS = ROOT / "tests/support/monitoring_definitions.yaml"
JOB = "us-equities"


@pytest.fixture
def sample(kubectl: Kubectl, firestore: str) -> Tenant:
    """Return the tenant of the sample job."""
    return Tenant(kubectl, firestore, "acme")


def test_the_sample_is_ready_and_its_quotes_are_in_firestore(sample: Tenant, installed: str) -> None:
    assert "ingestjob.sluice.dev/us-equities condition met" in installed
    quotes = eventually(lambda: sample.quotes() if len(sample.quotes()) == 4 else None)
    assert set(quotes) == {"SPY", "AAPL", "MSFT", "BRK.B"}
    assert {quote["session_id"] for quote in quotes.values()} == {sample.heartbeat()["session_id"]}


def test_the_commands_of_the_readme_stop_the_feed(cluster: KindCluster, sample: Tenant) -> None:
    sample.settled("Streaming", JOB)
    eventually(sample.writes)
    _, _, patch_and_wait = readme.commands("Stop a feed").partition("\n")
    cluster.shell(patch_and_wait)
    stopped = sample.writes()
    beat = sample.heartbeat()
    sample.patch(JOB, heartbeat={"intervalSeconds": 1})
    eventually(lambda: sample.heartbeat()["ts"] > beat["ts"])
    assert sample.heartbeat()["status"] == "paused"
    assert sample.writes() == stopped
    sample.patch(JOB, enabled=True)
    sample.settled("Streaming", JOB)
    eventually(lambda: all(sample.writes()[symbol] > stopped[symbol] for symbol in stopped))


@pytest.fixture(scope="module")
def monitoring_kinds(kubectl: Kubectl) -> Iterator[None]:
    """Install the kinds of the Prometheus operator for the tests of this file."""
    kubectl("apply", "-f", str(MONITORING_DEFINITIONS))
    kubectl("wait", "--for=condition=Established", "-f", str(MONITORING_DEFINITIONS), "--timeout=30s")
    yield
    kubectl("delete", "-f", str(MONITORING_DEFINITIONS), "--wait=false")


@pytest.mark.usefixtures("monitoring_kinds")
@pytest.mark.parametrize("folder", FOLDERS, ids=[str(each.relative_to(MANIFESTS)) for each in FOLDERS])
def test_the_api_server_accepts_every_kustomization(kubectl: Kubectl, folder: Path) -> None:
    kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", str(folder))


def test_the_api_server_accepts_every_sample(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", str(MANIFESTS / "samples"))


def test_a_tenant_s_namespace_accepts_only_restricted_pods(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
        tenant.run("run", "intruder", "--image=sluice-runtime:0.1.0", "--dry-run=server")


@pytest.mark.touches_every_pod
def test_uninstalling_leaves_no_objects_and_installing_again_works(cluster: KindCluster, sample: Tenant) -> None:
    sample.settled("Streaming", JOB)
    try:
        cluster.shell("kubectl delete -k manifests/overlays/kind --timeout=90s")
        eventually(lambda: not _ingest_pods(cluster.kubectl), seconds=30)
        assert cluster_objects_of_sluice(cluster.kubectl) == []
    finally:
        cluster.shell(readme.commands("On a kind cluster"))
    sample.settled("Streaming", JOB)


def _ingest_pods(kubectl: Kubectl) -> str:
    return kubectl("get", "pods", "-A", "-l", "app.kubernetes.io/name=sluice-ingest", "-o", "name")
