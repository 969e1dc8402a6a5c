"""kubectl sluice as its users have it: one file beside kubectl."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sluice_devcluster import binaries
from support.deadlines import scaled

ROOT = Path(__file__).resolve().parents[2]


class Plugin:
    """The built plugin, with the kubeconfig of one cluster."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        """Build the plugin into `folder`, as `make plugin` does."""
        subprocess.run(
            [sys.executable, str(ROOT / "cli/tools/build_plugin.py"), str(folder)], check=True, capture_output=True
        )
        program = binaries.provide_binaries(lambda _: None).kubectl
        own = Path(sys.executable).parent  # for python3 in the first line of the plugin
        path = os.pathsep.join((str(folder), str(program.parent), str(own), os.environ["PATH"]))
        self.environment = {**os.environ, "PATH": path, "KUBECONFIG": str(kubeconfig), "LC_ALL": "C.UTF-8"}
        self.program = folder / "kubectl-sluice"

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with `typed` on its standard input."""
        return self._run([str(self.program), *arguments], typed)

    def run_line(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line that the plugin printed, in a shell."""
        return self._run(["sh", "-c", line], "")

    def _run(self, command: list[str], typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=scaled(60),
        )
