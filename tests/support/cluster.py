"""A devcluster for the tests, with Sluice on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sluice_devcluster.binaries import provide_binaries
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import SIMULATOR_HOSTS, Quickstart, install_operator
from support.deadlines import scaled
from support.timed_kubectl import TimedKubectl

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent


def operator_settings(emulator: str) -> dict[str, str]:
    """Return the variables of the operator in the tests.

    Jobs may connect to simulated providers, and may set the annotations in which kopf keeps its state.
    """
    return {
        "FIRESTORE_EMULATOR_HOST": emulator,
        "SLUICE_PROVIDER_HOSTS": SIMULATOR_HOSTS,
        "SLUICE_POD_METADATA_DOMAINS": "prometheus.io,cluster-autoscaler.kubernetes.io,kopf.zalando.org",
    }


@contextmanager
def second_cluster(state: Path, emulator: str) -> Iterator[Kubectl]:
    """Start another cluster with the CRD and the operator, whose pods use the emulator at `emulator`."""
    with _running_cluster(state, ROOT / "crds", *_programs_from(BIN)) as cluster:
        kubectl = TimedKubectl(provide_binaries(lambda _: None).kubectl, cluster.kubeconfig_file)
        install_operator(kubectl, ROOT / "manifests", operator_settings(emulator))
        yield kubectl


@contextmanager
def cluster_without_operator(state: Path, crds: Path = ROOT / "crds") -> Iterator[StateDirectory]:
    """Start a cluster with the CRDs of a folder and no operator, which would act on the jobs, in the folder `state`."""
    with _running_cluster(state, crds) as cluster:
        yield cluster


@contextmanager
def fault_cluster(state: Path, programs: Path) -> Iterator[StateDirectory]:
    """Start a cluster with the CRDs and no operator, whose pods find their programs in the folder `programs`."""
    with _running_cluster(state, ROOT / "crds", *_programs_from(programs)) as cluster:
        yield cluster


def _programs_from(folder: Path) -> tuple[str, ...]:
    """Return the options with which pods run the programs of a folder, and crashed containers restart soon."""
    return ("--bin-dir", str(folder), "--restart-backoff-seconds", "1")


@contextmanager
def _running_cluster(state: Path, crds: Path, *options: str) -> Iterator[StateDirectory]:
    command, where = [str(BIN / "sluice-devcluster")], ["--state", str(state)]
    subprocess.run([*command, "up", *where, "--crds", str(crds), *options], check=True, timeout=scaled(600))
    try:
        yield StateDirectory(state)
    finally:
        subprocess.run([*command, "down", *where], check=True, timeout=scaled(120))


@contextmanager
def sluice_on_devcluster(state: Path, programs: Path = BIN) -> Iterator[Quickstart]:
    """Start a cluster with the CRD, the operator, and the emulator with the security rules, as `make up` does.

    Crashed containers restart after a short backoff. Pods find their programs in the folder `programs`.
    """
    emulator = ("--emulator", "--rules", str(ROOT / "manifests/firestore/firestore.rules"))
    with _running_cluster(state, ROOT / "crds", *_programs_from(programs), *emulator) as cluster:
        found = Quickstart(cluster, ROOT / "manifests")
        found.kubectl = TimedKubectl(provide_binaries(lambda _: None).kubectl, cluster.kubeconfig_file)
        install_operator(found.kubectl, ROOT / "manifests", operator_settings(found.emulator))
        yield found
