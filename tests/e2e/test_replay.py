"""Replay of a recorded tape on a real kubelet."""

from __future__ import annotations

from typing import Any

from sluice_devcluster.kubectl import Kubectl
from sluice_simulators.tapes import last_quotes, write_generated_tape
from support.kind import KindCluster
from support.site import Tenant, eventually

FOLDER = "/var/local/tapes"  # on the node
CAPACITY = {"storage": "1Mi"}


def volume(tenant: Tenant) -> list[dict[str, Any]]:
    """Return a volume on the node, and the tenant's claim to it."""
    modes = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": tenant.name},
            "spec": {"capacity": CAPACITY, "hostPath": {"path": FOLDER}, **modes},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "tapes", "namespace": tenant.name},
            "spec": {"resources": {"requests": CAPACITY}, "volumeName": tenant.name, **modes},
        },
    ]


def test_a_job_waits_for_the_tape_on_its_volume_and_replays_it_to_its_end(
    tenant: Tenant, kubectl: Kubectl, cluster: KindCluster
) -> None:
    tape = write_generated_tape(cluster.folder / "tape.csv.gz", ["SPY", "AAPL"], 5000, seed=1)
    cluster.copy(tape, f"{FOLDER}/2013/10-07.csv.gz")
    claim = {"claimRef": {"name": "tapes", "path": "2013/10-07.csv.gz"}}
    tenant.apply(provider="replay", replay={"tape": claim, "speed": 0})
    assert eventually(lambda: "tapes" in str(tenant.job().get("status", {}).get("conditions")))
    kubectl.apply(volume(tenant))
    try:
        tenant.settled("ReplayFinished", seconds=60)
        written = tenant.quotes()
        for symbol, quote in last_quotes(tape).items():
            assert (written[symbol]["bid"], written[symbol]["ask"]) == (quote.bid, quote.ask)
    finally:
        tenant.run("delete", "ij", "feed")
        kubectl("delete", "pv", tenant.name, "--wait=false")
