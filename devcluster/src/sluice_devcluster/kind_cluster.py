"""A kind cluster with one node: found, created, started and deleted with the commands docker and kind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.programs import ProgramRunner

# The port of the node at which the emulator's Service answers. kind forwards a port of 127.0.0.1 to it.
EMULATOR_NODE_PORT = 30880
_DOCKER_SECONDS = 30
_INSTALL = {
    "docker": "https://docs.docker.com/get-started/get-docker",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "kubectl": "https://kubernetes.io/docs/tasks/tools",
}

ClusterState = Literal["missing", "stopped", "running"]


def require_programs(docker: str) -> None:
    """Raise DevclusterError, which says what to install or to start, unless Docker responds and kind can be used."""
    programs = {"docker": docker, "kind": "kind", "kubectl": "kubectl"}
    missing = [name for name, command in programs.items() if shutil.which(command) is None]
    if missing:
        pages = ", ".join(f"{programs[name]} ({_INSTALL[name]})" for name in missing)
        raise DevclusterError(f"CLUSTER=kind needs Docker, kind and kubectl. Install {pages}{_alternative()}.")
    require_docker(docker)


def require_docker(docker: str) -> None:
    """Raise DevclusterError unless the Docker engine responds."""
    try:
        answer = subprocess.run(
            [docker, "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=_DOCKER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DevclusterError(f"Docker does not respond ({error}). Start Docker{_alternative()}.") from error
    if answer.returncode != 0:
        reason = " ".join(answer.stderr.split()).rstrip(".")
        raise DevclusterError(f"Docker does not respond ({reason}). Start Docker{_alternative()}.")


def kubectl_program() -> Path:
    """Return the path of the kubectl on the PATH; raise DevclusterError if there is none."""
    found = shutil.which("kubectl")
    if found is None:
        raise DevclusterError(f"There is no kubectl on the PATH. Install it: {_INSTALL['kubectl']}.")
    return Path(found)


def _alternative() -> str:
    """Return the end of a sentence: a cluster without Docker, where the machine can run one."""
    return ", or use `make up` without CLUSTER=kind, which needs no Docker" if sys.platform == "linux" else ""


@dataclass(frozen=True)
class KindCluster:
    """A cluster of this name. `docker` is the Docker command, or one that accepts the same arguments."""

    name: str
    kubeconfig: Path
    docker: str
    runner: ProgramRunner

    @property
    def node(self) -> str:
        """The name of the node's container."""
        return f"{self.name}-control-plane"

    def find_state(self) -> ClusterState:
        """Return whether the node's container runs, has stopped (as after a restart of Docker), or does not exist."""
        listed = self.runner.run(
            *(self.docker, "ps", "--all", "--filter", f"name=^/?{self.node}$", "--format", "{{.State}}")
        ).strip()
        if not listed:
            return "missing"
        return "running" if listed == "running" else "stopped"

    def create(self, node_image: str) -> None:
        """Create the cluster and write its kubeconfig. An empty `node_image` means kind's default."""
        config = {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "nodes": [
                {
                    "role": "control-plane",
                    "extraPortMappings": [
                        # kind chooses a free port of this machine for 0.
                        {"containerPort": EMULATOR_NODE_PORT, "hostPort": 0, "listenAddress": "127.0.0.1"}
                    ],
                }
            ],
        }
        image = ("--image", node_image) if node_image else ()
        arguments = ("--config", "-", "--wait", "180s", *image)
        self._kind("create", *arguments, doing="creating the kind cluster", text=json.dumps(config))

    def start(self) -> None:
        """Start the container of a node that has stopped."""
        self.runner.run(self.docker, "start", self.node)

    def delete(self) -> None:
        """Delete the cluster, if it exists."""
        self._kind("delete", doing="deleting the kind cluster")

    def load_images(self, *images: str) -> None:
        """Copy images from Docker into the node, except those whose names the node has."""
        missing = [image for image in images if not self.has_image(image)]
        if missing:
            self.runner.report(f"loading into the node: {', '.join(missing)}")
            self.runner.run("kind", "load", "docker-image", "--name", self.name, *missing, doing="loading")

    def has_image(self, image: str) -> bool:
        """Return True if the node has an image of this name, with its tag."""
        listed = self.runner.run(self.docker, "exec", self.node, "ctr", "--namespace=k8s.io", "images", "ls", "--quiet")
        return any(name == image or name.endswith(f"/{image}") for name in listed.split())

    def emulator_host(self) -> str:
        """Return the host:port of this machine that is forwarded to the emulator's Service.

        Raises DevclusterError if the cluster was created without it.
        """
        listed = self.runner.run(self.docker, "port", self.node, f"{EMULATOR_NODE_PORT}/tcp").split()
        if not listed:
            raise DevclusterError(
                f"The node {self.node} forwards no port to the emulator: run `make down`, then `make up`."
            )
        return listed[0]

    def _kind(self, command: str, *arguments: str, doing: str, text: str | None = None) -> None:
        where = ("--name", self.name, "--kubeconfig", str(self.kubeconfig))
        self.runner.run("kind", command, "cluster", *where, *arguments, doing=doing, text=text)
