"""`make up CLUSTER=kind` and the commands after it, as a user types them, on a cluster of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster.layout import StateDirectory
from support.kind import ROOT, KindCluster

NAME = "sluice-e2e-up"


class Terminal:
    """Runs make in the repository's root, with a state directory of its own."""

    def __init__(self, folder: Path, emulator_image: str) -> None:
        self.state = folder / "up"
        shutil.rmtree(self.state, ignore_errors=True)
        self._variables = (f"STATE={self.state}", f"KIND_CLUSTER_NAME={NAME}", f"EMULATOR_IMAGE={emulator_image}")

    def make(self, *arguments: str, status: int = 0) -> str:
        """Run make; return its output, and check its exit status."""
        done = subprocess.run(
            ["make", "--no-print-directory", *arguments, *self._variables],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout


@pytest.fixture
def terminal(cluster: KindCluster, emulator_image: str) -> Iterator[Terminal]:
    """A terminal without a cluster. What `make up` created in it is deleted at the end."""
    found = Terminal(cluster.folder, emulator_image)
    yield found
    found.make("down")


def test_up_shows_the_job_on_kind_and_the_other_commands_find_the_cluster(
    terminal: Terminal, cluster: KindCluster
) -> None:
    first = terminal.make("up", "CLUSTER=kind")
    kubeconfig = StateDirectory(terminal.state).kubeconfig_file
    assert "acme/us-equities  Running" in first
    assert " quotes in tenants/acme/live_quotes\n" in first
    assert f"  export KUBECONFIG={kubeconfig}\n" in first
    assert "project demo-sluice" in first
    assert terminal.make("kubeconfig") == f"{kubeconfig}\n"
    assert terminal.make("firestore-emulator-host").strip() in first
    assert "acme/us-equities  Running" in terminal.make("status")

    second = terminal.make("up")
    assert f"the kind cluster {NAME} runs already" in second
    assert "building" not in second
    assert "loading" not in second

    cluster.run("kind", "delete", "cluster", "--name", NAME)
    assert f"The kind cluster {NAME} does not exist any more: run `make up`." in terminal.make("status", status=2)
    assert "cluster deleted" in terminal.make("down")
    assert "No cluster is up" in terminal.make("status", status=2)
    clusters = cluster.run("kind", "get", "clusters").split()
    assert cluster.name in clusters
    assert NAME not in clusters
