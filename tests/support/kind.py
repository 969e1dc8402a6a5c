"""A kind cluster of the tests' own, and what is done to it from outside: as its owner, not through its API."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.kubectl import Kubectl
from support.site import eventually

ROOT = Path(__file__).parent.parent.parent

# The programs of a pod: every process in its cgroup but the one that only holds its namespaces.
_KILL = """
for process in /proc/[0-9]*; do
  grep -qsE 'pod({uid}|{uid_})' $process/cgroup && grep -qs sluice $process/cmdline || continue
  kill -9 ${{process#/proc/}} && hit=1
done
test -n "$hit"
"""


def program(name: str) -> Path:
    """A program on the PATH.

    Raises:
        DevclusterError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise DevclusterError(f"{name} is not on the PATH: the end-to-end tests need Docker, kind and kubectl")
    return Path(found)


class KindCluster:
    """One cluster. What its programs print goes to `folder`, and its kubeconfig with it."""

    def __init__(self, name: str, folder: Path) -> None:
        """Nothing is started yet. The variable DOCKER names another program than docker."""
        self.name = name
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.kubectl = Kubectl(program("kubectl"), self.kubeconfig)
        self._kind = str(program("kind"))
        self._docker = os.environ.get("DOCKER") or "docker"

    def create(self, image: str = "") -> None:
        """Creates the cluster, in place of one that an earlier run has left. Without an image, kind's own is used."""
        self.delete()
        chosen = ["--image", image] if image else []
        self.run(self._kind, "create", "cluster", "--wait", "180s", *chosen)

    def delete(self) -> None:
        """Deletes the cluster, if there is one."""
        self.run(self._kind, "delete", "cluster")

    def build(self, image: str, dockerfile: Path, context: Path, **arguments: str) -> None:
        """Builds an image for the tests; `arguments` are those of the Dockerfile."""
        base = os.environ.get("PYTHON_BASE_IMAGE") or "python:3.11-slim-bookworm"
        handed_on = [name for name in os.environ if name.startswith("PIP_")]
        given = [f"PYTHON_BASE_IMAGE={base}", *handed_on, *(f"{name}={value}" for name, value in arguments.items())]
        self.run(
            *(self._docker, "build", "--quiet", *(f"--build-arg={each}" for each in given)),
            *("--file", str(dockerfile), "--tag", image, str(context)),
        )

    def load(self, *images: str) -> None:
        """Brings images into the node."""
        self.run(self._kind, "load", "docker-image", *images)

    def alias(self, image: str, other: str) -> None:
        """Gives an image another name, in the node only."""
        self.run(
            self._docker, "exec", self._node, "ctr", "--namespace=k8s.io", "images", "tag", "--force", image, other
        )

    def copy(self, file: Path, to: str) -> None:
        """Puts a file into the node, at a path whose folders are made."""
        self.run(self._docker, "exec", self._node, "mkdir", "-p", str(PurePosixPath(to).parent))
        self.run(self._docker, "cp", str(file), f"{self._node}:{to}")

    def copy_container_logs(self) -> Path:
        """Copy the log files of all containers out of the node, and return their folder.

        The files are NAMESPACE_POD_UID/CONTAINER/NUMBER.log. Those of pods that are gone stay from an earlier copy.
        """
        staged, folder = "/var/log/sluice-e2e", self.folder / "container-logs"
        # Files grow and vanish meanwhile: `docker cp` would fail on them, and `cp` copies the others.
        self.run(self._docker, "exec", self._node, "sh", "-c", f"cp -rLT /var/log/pods {staged} 2>&1 || true")
        folder.mkdir(exist_ok=True)
        self.run(self._docker, "cp", f"{self._node}:{staged}/.", str(folder))
        return folder

    def kill(self, pod_uid: str) -> None:
        """Kills the processes of a pod by SIGKILL, as the kernel does when memory runs out."""
        script = _KILL.format(uid=pod_uid, uid_=pod_uid.replace("-", "_"))
        self.run(self._docker, "exec", self._node, "sh", "-c", script)

    def shell(self, commands: str) -> str:
        """Runs what README.md tells its readers to type, where they type it, up to the first failure."""
        return self.run("bash", "-euo", "pipefail", "-c", commands)

    def run(self, *command: str) -> str:
        """Runs a program to its end in the repository's root, and returns what it printed; commands.log keeps it, too.

        Raises:
            DevclusterError: it failed; with the end of what it printed.
        """
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with (self.folder / "commands.log").open("a") as log:
            log.write(f"--- {' '.join(command)}\n{done.stdout}")
        if done.returncode != 0:
            raise DevclusterError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
        return done.stdout

    @property
    def _environment(self) -> dict[str, str]:
        """What a person would have exported to work with this cluster by kind and kubectl."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KIND_CLUSTER_NAME": self.name}

    @property
    def _node(self) -> str:
        return f"{self.name}-control-plane"


@contextmanager
def forwarded(cluster: KindCluster, namespace: str, service: str, port: int) -> Iterator[str]:
    """The host:port on this machine at which a Service of the cluster answers meanwhile."""
    command = [str(program("kubectl")), f"--kubeconfig={cluster.kubeconfig}", "port-forward", "-n", namespace]
    log = cluster.folder / f"port-forward-{service}.log"
    # A file and not a pipe: kubectl writes a line for every connection, and would stop where nobody reads them.
    with log.open("w") as out, subprocess.Popen([*command, f"service/{service}", f":{port}"], stdout=out) as process:
        try:
            yield eventually(lambda: _forwarded_at(log.read_text()))
        finally:
            process.terminate()


def _forwarded_at(log: str) -> str:
    found = re.search(r"^Forwarding from (127\.0\.0\.1:\d+) ", log, flags=re.MULTILINE)
    return found[1] if found else ""
