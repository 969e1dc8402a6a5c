"""A kind cluster for the tests, and operations on it from outside the Kubernetes API."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sluice_devcluster.errors import DevclusterError
from sluice_manifests.base_images import python_base_image
from support.site import eventually
from support.timed_kubectl import TimedKubectl, scale_timeouts

ROOT = Path(__file__).parent.parent.parent

# Kill the processes of a pod: every process in its cgroup except the pause process, which holds its namespaces.
_KILL = """
for process in /proc/[0-9]*; do
  grep -qsE 'pod({uid}|{uid_})' $process/cgroup && grep -qs sluice $process/cmdline || continue
  kill -9 ${{process#/proc/}} && hit=1
done
test -n "$hit"
"""


def program(name: str) -> Path:
    """Return the path of a program on the PATH.

    Raises:
        DevclusterError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise DevclusterError(f"{name} is not on the PATH: the end-to-end tests need Docker, kind and kubectl")
    return Path(found)


class KindCluster:
    """One cluster. The output of its programs and its kubeconfig are in `folder`."""

    def __init__(self, name: str, folder: Path) -> None:
        """Prepare the cluster without starting it. The variable DOCKER may name a program other than docker."""
        self.name = name
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.kubectl = TimedKubectl(program("kubectl"), self.kubeconfig)
        self._kind = str(program("kind"))
        self._docker = os.environ.get("DOCKER") or "docker"

    def create(self, image: str = "") -> None:
        """Create the cluster; first delete one that an earlier run left. Without an image, use kind's default."""
        self.delete()
        chosen = ["--image", image] if image else []
        self.run(self._kind, "create", "cluster", "--wait", "180s", *chosen)

    def delete(self) -> None:
        """Delete the cluster, if it exists."""
        self.run(self._kind, "delete", "cluster")

    def build(self, image: str, dockerfile: Path, context: Path, **arguments: str) -> None:
        """Build an image for the tests; `arguments` are build arguments of the Dockerfile."""
        base = python_base_image(ROOT)
        handed_on = [name for name in os.environ if name.startswith("PIP_")]
        given = [f"PYTHON_BASE_IMAGE={base}", *handed_on, *(f"{name}={value}" for name, value in arguments.items())]
        self.run(
            *(self._docker, "build", "--quiet", *(f"--build-arg={each}" for each in given)),
            *("--file", str(dockerfile), "--tag", image, str(context)),
        )

    def load(self, *images: str) -> None:
        """Load images into the node."""
        self.run(self._kind, "load", "docker-image", *images)

    def alias(self, image: str, other: str) -> None:
        """Give an image another name, in the node only."""
        self.run(
            self._docker, "exec", self._node, "ctr", "--namespace=k8s.io", "images", "tag", "--force", image, other
        )

    def copy(self, file: Path, to: str) -> None:
        """Copy a file into the node; the folders of its path are created."""
        self.run(self._docker, "exec", self._node, "mkdir", "-p", str(PurePosixPath(to).parent))
        self.run(self._docker, "cp", str(file), f"{self._node}:{to}")

    def copy_container_logs(self) -> Path:
        """Copy the log files of all containers out of the node, and return their folder.

        The files are NAMESPACE_POD_UID/CONTAINER/NUMBER.log. Those of deleted pods stay from an earlier copy.
        """
        staged, folder = "/var/log/sluice-e2e", self.folder / "container-logs"
        # Files grow and disappear during the copy: `docker cp` would fail on them, and `cp` copies the others.
        self.run(self._docker, "exec", self._node, "sh", "-c", f"cp -rLT /var/log/pods {staged} 2>&1 || true")
        folder.mkdir(exist_ok=True)
        self.run(self._docker, "cp", f"{self._node}:{staged}/.", str(folder))
        return folder

    def kill(self, pod_uid: str) -> None:
        """Kill the processes of a pod with SIGKILL, as the kernel does when memory runs out."""
        script = _KILL.format(uid=pod_uid, uid_=pod_uid.replace("-", "_"))
        self.run(self._docker, "exec", self._node, "sh", "-c", script)

    def shell(self, commands: str) -> str:
        """Run commands from README.md in the repository's root, up to the first that fails."""
        return self.run("bash", "-euo", "pipefail", "-c", scale_timeouts(commands))

    def run(self, *command: str) -> str:
        """Run a program in the repository's root, and return its output, which is also appended to commands.log.

        Raises:
            DevclusterError: it failed; the message has the end of its output.
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
        """Return the environment in which kind and kubectl work with this cluster."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KIND_CLUSTER_NAME": self.name}

    @property
    def _node(self) -> str:
        return f"{self.name}-control-plane"


@contextmanager
def forwarded(cluster: KindCluster, namespace: str, service: str, port: int) -> Iterator[str]:
    """Forward a Service of the cluster to this machine while the context lasts; yields the host:port."""
    command = [str(program("kubectl")), f"--kubeconfig={cluster.kubeconfig}", "port-forward", "-n", namespace]
    log = cluster.folder / f"port-forward-{service}.log"
    # A file and not a pipe: kubectl writes a line for every connection and would block on a full pipe.
    with log.open("w") as out, subprocess.Popen([*command, f"service/{service}", f":{port}"], stdout=out) as process:
        try:
            yield eventually(lambda: _forwarded_at(log.read_text()))
        finally:
            process.terminate()


def _forwarded_at(log: str) -> str:
    found = re.search(r"^Forwarding from (127\.0\.0\.1:\d+) ", log, flags=re.MULTILINE)
    return found[1] if found else ""
