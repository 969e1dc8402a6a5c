"""The programs of the control plane and kubectl."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
    pinned_version,
)
from sluice_manifests.toolchain import ReportProgress

ETCD = GoProgram("etcd", MODULES / "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3")
# The minor version of Kubernetes to run, such as 1.30. Unset or empty: the one that devcluster uses.
VERSION_VARIABLE = "SLUICE_KUBERNETES_VERSION"


@dataclass(frozen=True)
class Binaries:
    """The paths of the programs."""

    etcd: Path
    apiserver: Path
    controller_manager: Path
    kubectl: Path


def provide_binaries(report: ReportProgress) -> Binaries:
    """Return the paths of a cluster's programs, after building those that are missing.

    Raises DevclusterError if a program cannot be built, or if the environment names an unknown version.
    """
    try:
        return Binaries(*find_or_build_programs(_chosen_programs(), report))
    except ManifestsError as error:
        raise DevclusterError(str(error)) from error


def pinned_kubernetes_versions(modules: Path = MODULES) -> dict[str, str]:
    """Return the exact version of each Kubernetes that can be built, by its minor version: {"1.30": "v1.30.14"}."""
    versions = [
        pinned_version((folder / "go.mod").read_text(), "k8s.io/kubernetes") for folder in modules.glob("kubernetes*")
    ]
    return {version.removeprefix("v").rpartition(".")[0]: version for version in sorted(versions, key=_numbers)}


def chosen_minor_version(environment: Mapping[str, str], modules: Path = MODULES) -> str:
    """Return the minor version that the environment names; empty for the one that devcluster uses.

    Raises DevclusterError if no module pins the version.
    """
    chosen = environment.get(VERSION_VARIABLE, "")
    if not chosen or (modules / f"kubernetes-{chosen}").exists():
        return chosen
    pinned = pinned_kubernetes_versions(modules)
    own = pinned_version((modules / "kubernetes/go.mod").read_text(), "k8s.io/kubernetes")
    if pinned.get(chosen) == own:
        return ""
    raise DevclusterError(f"There is no Kubernetes {chosen} in devcluster/go: choose one of {', '.join(pinned)}.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.removeprefix("v").split("."))


def are_missing() -> bool:
    """Return True if `provide_binaries` has to build a program.

    Raises DevclusterError if the environment names an unknown version.
    """
    return are_programs_missing(_chosen_programs())


def _chosen_programs() -> tuple[GoProgram, ...]:
    chosen = chosen_minor_version(os.environ)
    servers = [kubernetes_program(name, chosen) for name in ("kube-apiserver", "kube-controller-manager")]
    return (ETCD, *servers, KUBECTL)
