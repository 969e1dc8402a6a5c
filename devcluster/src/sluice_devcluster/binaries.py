"""The programs of the control plane and kubectl."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sluice_devcluster.errors import DevclusterError
from sluice_manifests.errors import ManifestsError
from sluice_manifests.go_programs import (
    KUBECTL,
    MODULES,
    GoProgram,
    are_programs_missing,
    find_or_build_programs,
    kubernetes_program,
)
from sluice_manifests.toolchain import ReportProgress

ETCD = GoProgram("etcd", MODULES / "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3")
APISERVER = kubernetes_program("kube-apiserver")
CONTROLLER_MANAGER = kubernetes_program("kube-controller-manager")
PROGRAMS = (ETCD, APISERVER, CONTROLLER_MANAGER, KUBECTL)


@dataclass(frozen=True)
class Binaries:
    """The paths of the programs."""

    etcd: Path
    apiserver: Path
    controller_manager: Path
    kubectl: Path


def provide_binaries(report: ReportProgress) -> Binaries:
    """Return the paths of a cluster's programs, after building those that are missing.

    Raises DevclusterError if a program cannot be built.
    """
    try:
        return Binaries(*find_or_build_programs(PROGRAMS, report))
    except ManifestsError as error:
        raise DevclusterError(str(error)) from error


def are_missing() -> bool:
    """Return True if `provide_binaries` has to build a program."""
    return are_programs_missing(PROGRAMS)
