"""Which kind of cluster `make up` starts: a kind cluster, or the processes of devcluster."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Literal

from sluice_devcluster import cluster, kind_site
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.kind_site import KindOptions
from sluice_devcluster.layout import StateDirectory
from sluice_manifests.toolchain import ReportProgress

ClusterKind = Literal["kind", "processes"]


def choose_cluster(asked: str, state: StateDirectory) -> ClusterKind:
    """Return the kind of cluster that the user asked for; if they asked for none, the kind that is up, or processes.

    Raises DevclusterError if the kind is unknown, or if a cluster of the other kind is up.
    """
    if asked not in ("", "kind", "processes"):
        raise DevclusterError(
            f"CLUSTER={asked} is unknown. Use `make up CLUSTER=kind` for a cluster in Docker, or `make up` for a "
            "cluster of processes on this Linux machine."
        )
    up: ClusterKind | None = None
    if state.load_kind_settings() is not None:
        up = "kind"
    elif state.load_settings() is not None:
        up = "processes"
    chosen: ClusterKind = "kind" if asked == "kind" else "processes" if asked == "processes" else up or "processes"
    if up is not None and chosen != up:
        names = {"kind": "a kind cluster", "processes": "a cluster of processes"}
        raise DevclusterError(f"`make up` has already started {names[up]}: run `make down` first.")
    return chosen


def start(
    state: StateDirectory, manifests: Path, kind: ClusterKind, options: KindOptions, report: ReportProgress
) -> None:
    """Start the cluster and the Firestore emulator, or what does not run of them. On kind, also install Sluice.

    Raises DevclusterError if the machine cannot run this kind of cluster, or if a part does not start.
    """
    if kind == "kind":
        kind_site.up(state, manifests, options, report)
        return
    if sys.platform != "linux":
        raise DevclusterError("A cluster of processes needs Linux. Use Docker: make up CLUSTER=kind")
    processes = cluster.UpOptions(
        crds=manifests.parent / "crds",
        bin_dir=Path(sys.executable).parent,
        emulator=True,
        rules=manifests / "firestore/firestore.rules",
    )
    asyncio.run(cluster.up(state, processes, report))
