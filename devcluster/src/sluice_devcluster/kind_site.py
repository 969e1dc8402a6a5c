"""Sluice on a kind cluster (`make up CLUSTER=kind`): images from the sources, the operator and the emulator.

Uses Docker, kind and kubectl only, so that it works on Linux and macOS without root.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sluice_devcluster import dashboard, emulator, kind_images, kind_objects
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.kind_cluster import KindCluster, kubectl_program, require_docker, require_programs
from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.layout import KindSettings, StateDirectory
from sluice_devcluster.programs import PROGRESS_SECONDS, ProgramRunner
from sluice_manifests.toolchain import ReportProgress

DEFAULT_NAME = "sluice"
READY_SECONDS = 90.0
# The emulator's image has more than a gigabyte, which the node downloads.
EMULATOR_SECONDS = 1800.0
_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class KindOptions:
    """The choices of the user.

    What is empty stays as it is in the cluster that is up. In a new one, the name is then `sluice`, the node's image
    that of kind, and the emulator's image that of the manifests.
    """

    cluster_name: str = ""
    node_image: str = ""
    emulator_image: str = ""


def up(state: StateDirectory, manifests: Path, options: KindOptions, report: ReportProgress) -> None:
    """Create the cluster unless it exists, build and load the images, and install the emulator and the operator.

    `manifests` is the folder `manifests` of the repository. A second run changes only what differs. Raises
    DevclusterError if a program is missing or fails.
    """
    settings = _choose_settings(state, options)
    require_programs(settings.docker)
    cluster = _cluster(state, settings, report)
    _start_cluster(state, settings, cluster)
    kubectl = Kubectl(kubectl_program(), state.kubeconfig_file)
    _wait_until_ready(kubectl)
    documents = [each for each in yaml.safe_load_all(kubectl("kustomize", str(manifests / "overlays/kind"))) if each]
    # The node downloads the emulator while the images are built.
    _install_emulator(kubectl, documents, manifests, cluster, settings.emulator_image)
    _install_operator(state, settings, kubectl, documents, cluster)
    host = settings.firestore_emulator_host or cluster.emulator_host()
    _wait_for_emulator(kubectl, host, report)
    report(f"Firestore emulator answers at {host}")


def down(state: StateDirectory, settings: KindSettings, report: ReportProgress) -> None:
    """Stop the dashboard and delete the cluster that `up` created, and no other."""
    dashboard.stop_page_server(state)
    require_programs(settings.docker)
    report(f"deleting the kind cluster {settings.cluster_name}")
    _cluster(state, settings, report).delete()
    state.delete_settings()
    report("cluster deleted")


def require_running(state: StateDirectory, settings: KindSettings) -> None:
    """Raise DevclusterError, which says what to do, if Docker does not respond or the cluster does not run."""
    require_docker(settings.docker)
    found = _cluster(state, settings, lambda _: None).find_state()
    if found != "running":
        fact = "has stopped" if found == "stopped" else "does not exist any more"
        raise DevclusterError(f"The kind cluster {settings.cluster_name} {fact}: run `make up`.")


def _choose_settings(state: StateDirectory, options: KindOptions) -> KindSettings:
    """Return the settings of the cluster that is up, or those of a new one, with what the user chooses now."""
    found = state.load_kind_settings()
    if found is None:
        docker = os.environ.get("DOCKER") or "docker"
        found = KindSettings(cluster_name=options.cluster_name or DEFAULT_NAME, docker=docker)
    elif options.cluster_name not in ("", found.cluster_name):
        raise DevclusterError(
            f"`make up` has already created the kind cluster {found.cluster_name}: run `make down` first."
        )
    found.node_image = options.node_image or found.node_image
    found.emulator_image = options.emulator_image or found.emulator_image
    return found


def _cluster(state: StateDirectory, settings: KindSettings, report: ReportProgress) -> KindCluster:
    runner = ProgramRunner(state.log_file("kind"), report)
    return KindCluster(settings.cluster_name, state.kubeconfig_file, settings.docker, runner)


def _start_cluster(state: StateDirectory, settings: KindSettings, cluster: KindCluster) -> None:
    """Create the cluster, or start it. Refuses a cluster of the same name that `up` did not create."""
    report, name = cluster.runner.report, settings.cluster_name
    is_ours = state.load_kind_settings() is not None
    found = cluster.find_state()
    if found != "missing" and not is_ours:
        raise DevclusterError(
            f"There is a kind cluster {name} that this folder's `make up` did not create. Choose another name with "
            f"`make up CLUSTER=kind KIND_CLUSTER_NAME=NAME`, or delete it: kind delete cluster --name {name}"
        )
    if found != "missing" and not settings.is_created:
        report(f"deleting the kind cluster {name}, whose creation was interrupted")
        cluster.delete()
        found = "missing"
    if found == "running":
        report(f"the kind cluster {name} runs already")
    elif found == "stopped":
        report(f"starting the kind cluster {name}, which had stopped")
        cluster.start()
    else:
        if settings.is_created:
            report(f"the kind cluster {name} was deleted by another command than `make down`; creating it again")
        report(f"creating the kind cluster {name} (about a minute; the first time, kind also downloads its node image)")
        _create(state, settings, cluster)
    settings.firestore_emulator_host = cluster.emulator_host()
    state.save_settings(settings)


def _create(state: StateDirectory, settings: KindSettings, cluster: KindCluster) -> None:
    # Saved first, so that a cluster whose creation is interrupted is known as ours.
    settings.is_created = False
    state.save_settings(settings)
    try:
        cluster.create(settings.node_image)
    except DevclusterError:
        # kind deletes a cluster that it could not create.
        if cluster.find_state() == "missing":
            state.delete_settings()
        raise
    settings.is_created = True


def _wait_until_ready(kubectl: Kubectl) -> None:
    try:
        _wait_for(lambda: _is_ready(kubectl), READY_SECONDS, lambda: None)
    except TimeoutError as error:
        raise DevclusterError(
            f"The kind cluster's API server did not answer within {READY_SECONDS:.0f} s: run `make down` and `make up`."
        ) from error


def _is_ready(kubectl: Kubectl) -> bool:
    try:
        return kubectl("get", "--raw", "/readyz").strip() == "ok"
    except KubectlError:
        return False


def _install_emulator(
    kubectl: Kubectl, documents: list[dict[str, Any]], manifests: Path, cluster: KindCluster, image: str
) -> None:
    """Apply the emulator. An image that Docker has is loaded into the node; otherwise the node pulls it."""
    chosen = image or kind_objects.emulator_image(documents)
    report = cluster.runner.report
    if kind_images.has_image(chosen, cluster.docker, cluster.runner):
        try:
            cluster.load_images(chosen)
        except DevclusterError:
            # Docker's containerd store may have only a part of an image for several platforms.
            report(f"{chosen} could not be loaded from Docker; the node pulls it")
    elif not cluster.has_image(chosen):
        report(f"the node pulls the emulator's image {chosen} (more than a gigabyte)")
    rules = (manifests / "firestore/firestore.rules").read_text()
    kubectl.apply(kind_objects.emulator_objects(documents, rules, image))


def _install_operator(
    state: StateDirectory,
    settings: KindSettings,
    kubectl: Kubectl,
    documents: list[dict[str, Any]],
    cluster: KindCluster,
) -> None:
    root = Path(__file__).parents[3]
    images = kind_images.source_images(root)
    kind_images.build_missing_images(root, images, cluster.docker, cluster.runner)
    operator, runtime = (image.reference for image in images)
    replaced = sorted({*settings.images} - {operator, runtime})
    cluster.load_images(operator, runtime)
    cluster.runner.report("installing the operator")
    kubectl.apply(kind_objects.operator_objects(documents, operator, runtime))
    kubectl("rollout", "status", "deployment/sluice-operator", "-n", "sluice-system", "--timeout=110s")
    settings.images = [operator, runtime]
    state.save_settings(settings)
    for image in replaced:
        kind_images.remove_image(image, cluster.docker, cluster.runner)


def _wait_for_emulator(kubectl: Kubectl, host: str, report: ReportProgress) -> None:
    """Wait until the emulator answers at `host`, on this machine.

    Raises DevclusterError if its image cannot be pulled.
    """
    try:
        _wait_for(
            lambda: _is_emulator_ready(kubectl) and asyncio.run(emulator.is_answering(host)),
            EMULATOR_SECONDS,
            lambda: report("waiting for the Firestore emulator"),
        )
    except TimeoutError as error:
        raise DevclusterError(
            "The Firestore emulator did not become ready: see kubectl describe pods -n firestore-emulator."
        ) from error


def _is_emulator_ready(kubectl: Kubectl) -> bool:
    deployment = kubectl.get("deployment", kind_objects.EMULATOR, "-n", kind_objects.EMULATOR)
    status = deployment.get("status", {})
    if status.get("observedGeneration") == deployment["metadata"]["generation"]:
        replicas = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
        if replicas == [1, 1, 1]:
            return True
    for pod in kubectl.get("pods", "-n", kind_objects.EMULATOR)["items"]:
        for container in pod["status"].get("containerStatuses", []):
            waiting = container["state"].get("waiting", {})
            if waiting.get("reason") == "ImagePullBackOff":
                raise DevclusterError(
                    f"The node cannot pull the emulator's image {container['image']}: {waiting.get('message', '')}\n"
                    "Check the network, or name an image that Docker has: make up CLUSTER=kind EMULATOR_IMAGE=IMAGE"
                )
    return False


def _wait_for(check: Callable[[], bool], seconds: float, report: Callable[[], None]) -> None:
    """Wait until `check` returns True; call `report` every 15 s. Raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    next_report = time.monotonic() + PROGRESS_SECONDS
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError
        if time.monotonic() > next_report:
            report()
            next_report += PROGRESS_SECONDS
        time.sleep(_CHECK_SECONDS)
